/** A copy of a range of bytes in memory of its own. `slice` is not that: of a Buffer it shares the memory. */
export function copyBytes(buf: Uint8Array, start: number, end: number): Uint8Array {
  return Uint8Array.prototype.slice.call(buf, start, end);
}
