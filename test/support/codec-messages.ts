const WORDS = [
  'gateway',
  'connection',
  'pool',
  'é',
  'upstream',
  'client',
  '"result":',
  'message',
  '42',
  '[1,2]',
];

/** A text of exactly so many characters that compresses to about a quarter, different for each `random`. */
export function prose(length: number, random: () => number): string {
  const words: string[] = [];
  for (let left = length; left > 0;) {
    const word = WORDS[Math.floor(random() * WORDS.length)]!;
    words.push(word);
    left -= word.length + 1;
  }
  return words.join(' ').padEnd(length, '.').slice(0, length);
}

/** Bytes that nothing makes smaller. */
export function noise(length: number, random: () => number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = random() * 256;
  return bytes;
}
