const redraws: (() => void)[] = [];

/** What is drawn on a canvas is to be drawn again when colours are others. */
export function onColours(redraw: () => void): void {
  redraws.push(redraw);
}

/** Follows the system, and paper, which is always light. */
export function followColours(): void {
  const redrawAll = (): void => {
    for (const redraw of redraws) redraw();
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawAll);
  const { dataset } = document.documentElement;
  addEventListener('beforeprint', () => {
    dataset['paper'] = '';
    redrawAll();
  });
  addEventListener('afterprint', () => {
    delete dataset['paper'];
    redrawAll();
  });
}
