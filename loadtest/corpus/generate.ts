/** `node loadtest/corpus/generate.ts`: writes the messages that codecs are trained and measured on, the same ones each time. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Kind } from './kind.ts';
import { documents } from './kinds/documents.ts';
import { ethereum } from './kinds/ethereum.ts';
import { llm } from './kinds/llm.ts';
import { lsp } from './kinds/lsp.ts';
import { mcp } from './kinds/mcp.ts';
import { ticks } from './kinds/ticks.ts';
import { SeededRandom } from './random.ts';
import { testVocabulary, trainVocabulary } from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';
import { World } from './world.ts';

/** One file: a JSON message a line. */
export interface CorpusFile {
  /** Relative to this folder. */
  readonly path: string;
  readonly content: string;
}

interface Half {
  readonly name: 'train' | 'test';
  readonly seed: number;
  readonly startMs: number;
  readonly words: Vocabulary;
  readonly smalls: number;
  /** Sizes of the larger messages of each kind, in bytes. */
  readonly sizes: readonly number[];
  /** Kinds that have a message of 100 KB too. */
  readonly huge: readonly Kind[];
}

const kinds: readonly Kind[] = [mcp, ethereum, lsp, llm, ticks, documents];
const hugeBytes = 96_000;
const laterMs = Date.UTC(2025, 11, 4, 9);
const aroundOneKilobyte = [700, 800, 850, 900, 950, 1_000, 1_050, 1_100, 1_200];

const halves: readonly Half[] = [
  {
    ...{ name: 'train', seed: 20_240_611, startMs: Date.UTC(2025, 2, 11, 8), words: trainVocabulary },
    ...{ smalls: 80, sizes: [...aroundOneKilobyte, 4_000], huge: [] },
  },
  {
    ...{ name: 'test', seed: 77_003, startMs: Date.UTC(2025, 9, 2, 17), words: testVocabulary },
    ...{ smalls: 50, sizes: [...aroundOneKilobyte, 10_000], huge: [mcp, documents] },
  },
];

/** Returns the files of both halves. */
export function corpusFiles(): CorpusFile[] {
  return halves.flatMap((half) =>
    kinds.map((kind, i) => {
      const world = new World(new SeededRandom(half.seed + i), half.words, half.startMs);
      return { path: `${half.name}/${kind.name}.ndjson`, content: linesOf(half, kind, world) };
    }),
  );
}

/** Makes messages that are in neither half, of each kind in turn, without end. */
export class MessageSource {
  readonly #worlds: readonly World[];
  #made = 0;

  constructor(seed: number) {
    this.#worlds = kinds.map((_, i) => new World(new SeededRandom(seed + i), testVocabulary, laterMs));
  }

  /** A message as most are. */
  small(): Buffer {
    return this.#next((kind, world) => kind.small(world));
  }

  /** A message of about `bytes`. */
  large(bytes: number): Buffer {
    return this.#next((kind, world) => kind.large(world, bytes));
  }

  #next(make: (kind: Kind, world: World) => object): Buffer {
    const turn = this.#made++ % kinds.length;
    return Buffer.from(JSON.stringify(make(kinds[turn]!, this.#worlds[turn]!)));
  }
}

function linesOf({ smalls, sizes, huge }: Half, kind: Kind, world: World): string {
  const messages = [
    ...Array.from({ length: smalls }, () => kind.small(world)),
    ...[...sizes, ...(huge.includes(kind) ? [hugeBytes] : [])].map((bytes) => kind.large(world, bytes)),
  ];
  return messages.map((message) => `${JSON.stringify(message)}\n`).join('');
}

if (import.meta.main) {
  for (const { path, content } of corpusFiles()) {
    const file = join(import.meta.dirname, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    console.log(`${path}: ${content.split('\n').length - 1} messages, ${Buffer.byteLength(content)} bytes`);
  }
}
