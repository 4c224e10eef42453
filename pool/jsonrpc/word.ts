/** Four bytes as one number, so that a name is compared with one branch for four of its letters; `pos + 3` must be in bounds. */
export function wordAt(buf: Uint8Array, pos: number): number {
  return buf[pos]! | (buf[pos + 1]! << 8) | (buf[pos + 2]! << 16) | (buf[pos + 3]! << 24);
}

/** What {@link wordAt} gives for four ASCII letters. */
export function word(letters: string): number {
  return wordAt(Buffer.from(letters), 0);
}
