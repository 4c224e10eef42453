/** The colour that an element has now, as canvases take it: style sheets decide colours, light or dark. */
export function inkOf(target: Element): string {
  return getComputedStyle(target).color;
}

/** A colour of `inkOf`, of which only a share is left. */
export function faint(ink: string, share: number): string {
  const [red = '0', green = '0', blue = '0'] = ink.match(/[\d.]+/g) ?? [];
  return `rgb(${red} ${green} ${blue} / ${share})`;
}
