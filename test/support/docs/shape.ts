/** The lines of an example output that are not, in their shape, among those that were printed. Figures and spaces may differ. */
export function missingLines(example: string, output: string): string[] {
  const printed = new Set(output.split('\n').map(shapeOf));
  return example.split('\n').filter((line) => line.trim() !== '' && !printed.has(shapeOf(line)));
}

function shapeOf(line: string): string {
  return line
    .replace(/\d[\d,.]*/g, '0')
    .replace(/[─━-]+/g, '-')
    .replace(/\s+/g, ' ')
    .trim();
}
