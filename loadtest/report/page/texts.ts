import { element } from '../../../server/admin/page/element.ts';
import type { Facts, Points } from '../report-page.ts';

/** Sentences. */
export function pointsCard({ title, points }: Points): HTMLElement {
  const items = points.map(({ mood, text }) => element('li', { 'data-mood': mood }, text));
  return element(
    'article',
    { class: 'card wide' },
    element('h3', {}, title),
    element('ul', { class: 'points' }, ...items),
  );
}

/** Names and values. */
export function factsCard({ title, facts }: Facts): HTMLElement {
  const items = facts.map(([name, value]) =>
    element('div', {}, element('dt', {}, name), element('dd', {}, value)),
  );
  return element(
    'article',
    { class: 'card' },
    element('h3', {}, title),
    element('dl', { class: 'facts' }, ...items),
  );
}
