import { existsSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { readPage, type Page } from './page.ts';

const root = resolve(import.meta.dirname, '../../..');

/** The links of a page that lead nowhere: to a file that is not there, or to a heading that its page does not have. */
export function brokenLinks(page: Page): string[] {
  return linksOf(page).filter((link) => !leadsSomewhere(link, dirname(page.file), page));
}

/** The names by which the headings of a page are linked to, as GitHub makes them. */
export function anchorsOf({ prose }: Page): Set<string> {
  const anchors = new Set<string>();
  for (const [, title] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const name = slug(title!);
    let anchor = name;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${name}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** The text under the heading with this anchor, up to the next heading; empty when the page has none. */
export function sectionOf({ prose }: Page, anchor: string): string {
  const sections = prose.split(/^(?=#{1,6} )/m);
  return sections.find((section) => slug(section.split('\n', 1)[0]!.replace(/^#+ /, '')) === anchor) ?? '';
}

/** True when the link leads to a file below the root and, where it has an anchor, to a heading there. Other sites are not asked. */
export function leadsSomewhere(link: string, folder: string, self?: Page): boolean {
  if (/^[a-z]+:/.test(link)) return true;
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? self?.file : normalize(join(folder, path));
  if (file === undefined || file.startsWith('..')) return false;
  if (file !== self?.file && !existsSync(join(root, file))) return false;
  if (anchor === undefined) return true;
  const target = file === self?.file ? self : readPage(file);
  return file.endsWith('.md') && anchorsOf(target).has(anchor);
}

function linksOf({ prose }: Page): string[] {
  const inline = [...prose.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)];
  const references = [...prose.matchAll(/^\[[^\]]+\]: (\S+)$/gm)];
  return [...inline, ...references].map(([, link]) => link!);
}

function slug(title: string): string {
  return title
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}
