import { element } from '../../../server/admin/page/element.ts';
import type { Table } from '../report-page.ts';

/** From so many columns on a table has a row of the page to itself. */
const manyColumns = 6;
/** A longer text may be broken. */
const longText = 28;
const signs = { good: '✓', bad: '✗', warn: '!', plain: '' } as const;

/** A table that scrolls in its own box where it is too wide. */
export function tableCard(table: Table): HTMLElement {
  const wide = table.head.length >= manyColumns;
  const card = element('article', { class: wide ? 'card wide' : 'card' });
  card.append(element('h3', {}, table.title), tableBox(table));
  if (table.note !== undefined) card.append(element('p', { class: 'about' }, table.note));
  return card;
}

/** Whoever has no pointer scrolls it by its keys. */
export function tableBox({ title, head, rows, numbers, moods = {} }: Table): HTMLElement {
  const classOf = (column: number, text = ''): Record<string, string> =>
    numbers.includes(column) ? { class: 'number' } : text.length > longText ? { class: 'long' } : {};
  const headCells = head.map((text, column) => element('th', { scope: 'col', ...classOf(column) }, text));
  const bodyRows = rows.map((cells, row) =>
    element(
      'tr',
      {},
      ...cells.map((text, column) => {
        const mood = moods[`${row},${column}`] ?? 'plain';
        const attributes = { ...classOf(column, text), ...(mood !== 'plain' && { 'data-mood': mood }) };
        const sign = mood === 'plain' ? [] : [element('span', { 'aria-hidden': 'true' }, `${signs[mood]} `)];
        if (column > 0) return element('td', attributes, ...sign, text);
        return element('th', { scope: 'row', ...attributes }, ...sign, text);
      }),
    ),
  );
  return element(
    'div',
    { class: 'box', tabindex: '0', role: 'region', 'aria-label': title },
    element(
      'table',
      {},
      element('thead', {}, element('tr', {}, ...headCells)),
      element('tbody', {}, ...bodyRows),
    ),
  );
}
