import { byId, element } from '../../../server/admin/page/element.ts';
import type { ReportPage } from '../report-page.ts';
import { drawBlock } from './block.ts';
import { followColours } from './colours.ts';

const report = JSON.parse(byId('report', HTMLScriptElement).text) as ReportPage;
const place = byId('page', HTMLElement);
document.title = report.title;
place.replaceChildren(
  element(
    'header',
    { class: 'top' },
    element('h1', {}, report.title),
    ...report.about.map((text) => element('p', { class: 'about' }, text)),
  ),
  ...report.marks.map(({ mood, text }) => element('p', { class: 'mark', 'data-mood': mood }, text)),
);
if (report.figures.length > 0)
  place.append(
    element(
      'dl',
      { class: 'card key-figures' },
      ...report.figures.map(({ label, text }) =>
        element('div', {}, element('dt', {}, label), element('dd', {}, text)),
      ),
    ),
  );
for (const { title, blocks } of report.sections) {
  const grid = element('div', { class: 'grid' });
  place.append(element('section', {}, element('h2', {}, title), grid));
  // What is drawn takes the width of its place, so it has to be in it first.
  for (const block of blocks) drawBlock(block, grid);
  // A part that is all of its section needs no title of its own.
  const [only] = grid.querySelectorAll('h3');
  if (blocks.length === 1 && only?.textContent === title) only.remove();
}
followColours();
