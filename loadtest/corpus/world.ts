import type { SeededRandom } from './random.ts';
import type { Vocabulary } from './vocabulary.ts';

const shapes: readonly string[] = [
  'The A N V the N of the N.',
  'When a N V the A N, it D V the N and V a A N.',
  'Most of the N V # N in the first N.',
  'It D V a N that the A N V.',
  'No N V the N before the A N V.',
  'A A N D V, but the N V the N.',
  'Every N in the A N V a N with # N.',
  'This N V what the A N V, because the N is A.',
  'There are # A N behind each N.',
  'If the N is A, the N D V the A N.',
  'The N V the N, the N V the N, and the A N V both.',
  'After # N the A N V.',
  'Between the N and the N a A N V.',
  'What the N V is D A.',
];

/** A place where messages come from: its words, its clock and its chance. */
export class World {
  readonly random: SeededRandom;
  readonly words: Vocabulary;
  #nowMs: number;

  constructor(random: SeededRandom, words: Vocabulary, startMs: number) {
    this.random = random;
    this.words = words;
    this.#nowMs = startMs;
  }

  /** Unix time in ms; a little later at each call. */
  nowMs(): number {
    return (this.#nowMs += this.random.whole(3, 4_000));
  }

  isoTime(): string {
    return new Date(this.nowMs()).toISOString();
  }

  noun(): string {
    return this.random.pickSkewed(this.words.nouns);
  }

  sentence(): string {
    const words = this.random
      .pick(shapes)
      .split(' ')
      .map((word) => this.#filled(word));
    const text = words.join(' ').replace(/\ba (?=[aeiou])/g, 'an ');
    return text[0]!.toUpperCase() + text.slice(1);
  }

  sentences(count: number): string {
    return Array.from({ length: count }, () => this.sentence()).join(' ');
  }

  /** A heading: two or three words. */
  title(): string {
    const text = `${this.#filled('A')} ${this.noun()}${this.random.chance(0.5) ? ` and ${this.noun()}` : ''}`;
    return text[0]!.toUpperCase() + text.slice(1);
  }

  /** A path inside one of the projects. */
  file(): string {
    const { random, words } = this;
    return `${random.pick(words.projects)}/${random.pick(words.modules)}.ts`;
  }

  /** A line of TypeScript. */
  codeLine(): string {
    const { random, words } = this;
    const [a, b, c] = [random.pick(words.symbols), random.pick(words.symbols), this.noun()];
    return random.pick([
      `const ${c} = ${a}(${b}, ${random.whole(1, 4096)});`,
      `if (${a}.${c} > ${random.whole(2, 99)}) return ${b};`,
      `await ${a}({ ${c}: ${b}, ${this.noun()}: ${random.chance(0.5)} });`,
      `for (const ${c} of ${a}) ${b}.push(${c});`,
      `throw new Error(\`no ${c} for \${${b}}\`);`,
      `// ${this.sentence()}`,
    ]);
  }

  #filled(word: string): string {
    const { random, words } = this;
    const rest = word.slice(1);
    if (word === '#') return String(random.whole(2, 480));
    if (word.startsWith('N') && rest.length < 2) return this.noun() + rest;
    if (word.startsWith('V') && rest.length < 2) return random.pickSkewed(words.verbs) + rest;
    if (word.startsWith('A') && rest.length < 2) return random.pickSkewed(words.adjectives) + rest;
    if (word.startsWith('D') && rest.length < 2) return random.pick(words.adverbs) + rest;
    return word;
  }
}
