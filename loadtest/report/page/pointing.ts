import type UPlot from 'uplot';

/** A finger that moves sideways points; one that moves up or down scrolls the page. */
export function pointByTouch(plot: UPlot): void {
  const point = ({ pointerType, clientX }: PointerEvent): void => {
    if (pointerType === 'mouse') return;
    plot.setCursor({ left: clientX - plot.over.getBoundingClientRect().left, top: 0 });
  };
  plot.over.addEventListener('pointerdown', point);
  plot.over.addEventListener('pointermove', point);
}

/** Left, right, Home and End point, Escape points nowhere; calls `onMove` after each. */
export function pointByKeys(plot: UPlot, target: HTMLElement, onMove: () => void): void {
  target.addEventListener('keydown', (event) => {
    const to = placeAfter(plot, event.key);
    if (to === undefined) return;
    event.preventDefault();
    const left = to === null ? -10 : plot.valToPos(plot.data[0][to]!, 'x');
    plot.setCursor({ left, top: to === null ? -10 : 0 });
    onMove();
  });
}

/** An index, null for nowhere; undefined when the key means nothing here. */
function placeAfter({ cursor, data: [xs] }: UPlot, key: string): number | null | undefined {
  const last = xs.length - 1;
  const now = cursor.idx ?? undefined;
  if (key === 'Escape') return null;
  if (key === 'Home') return 0;
  if (key === 'End') return last;
  if (key === 'ArrowLeft') return Math.max(0, (now ?? last + 1) - 1);
  return key === 'ArrowRight' ? Math.min(last, (now ?? -1) + 1) : undefined;
}
