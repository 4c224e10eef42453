/** Returns the whole number that an option says; throws with the range when it is none, or out of it. */
export function wholeOption(name: string, text: string, least: number, most: number): number {
  if (/^\d+$/.test(text)) return numberOption(name, text, least, most);
  throw new Error(`--${name} ${text}: a whole number from ${least} to ${most} is needed`);
}

/** Returns the number that an option says; throws with the range when it is none, or out of it. */
export function numberOption(name: string, text: string, least: number, most: number): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (value >= least && value <= most) return value;
  throw new Error(`--${name} ${text}: a number from ${least} to ${most} is needed`);
}
