import { element } from '../../../server/admin/page/element.ts';
import type { Bar, Bars } from '../report-page.ts';

/** Bars with their values as text beside them, so that nothing is told by length alone. */
export function barsCard({ title, bars, note, wide = false }: Bars): HTMLElement {
  const top = Math.max(...bars.map(({ value, goal = 0 }) => Math.max(value ?? 0, goal)));
  const card = element('article', { class: wide ? 'card wide' : 'card' }, element('h3', {}, title));
  card.append(element('ul', { class: 'bars' }, ...bars.map((bar) => rowOf(bar, top))));
  if (note !== undefined) card.append(element('p', { class: 'about' }, note));
  return card;
}

function rowOf({ label, value, text, mood = 'plain', goal }: Bar, top: number): HTMLElement {
  const track = element('span', { class: value === null ? 'track refused' : 'track', 'aria-hidden': 'true' });
  if (value !== null) track.append(share('span', 'fill', value / top));
  if (goal !== undefined) track.append(share('span', 'goal', goal / top));
  return element(
    'li',
    { 'data-mood': mood },
    element('span', { class: 'label' }, label),
    track,
    element('span', { class: 'value' }, text),
  );
}

/** Style sheets cannot know a length that comes from data. */
function share(tag: 'span', name: string, part: number): HTMLElement {
  const made = element(tag, { class: name });
  made.style.setProperty('--share', `${Math.max(0, Math.min(1, part || 0)) * 100}%`);
  return made;
}
