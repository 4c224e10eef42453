/** The indices of values with none beside them, which no line can show. */
export function lonelyValues(values: ArrayLike<number | null | undefined>): number[] {
  const lonely: number[] = [];
  for (let index = 0; index < values.length; index++) {
    const isAlone = (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null;
    if (isAlone && (values[index] ?? null) !== null) lonely.push(index);
  }
  return lonely;
}
