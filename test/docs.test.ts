import { expect, it } from 'vitest';
import { hasPrograms } from './parts/parts.ts';
import { programsOf } from './support/docs/commands.ts';
import { docsPages, readPage, type Fence, type Page } from './support/docs/page.ts';
import { pagesOfCommands } from './support/docs/pages-of-commands.ts';
import { missingLines } from './support/docs/shape.ts';
import { DocsWorld } from './support/docs/world.ts';
import { startGateway } from './support/gateway.ts';

// Every `sh` block of every page is run, in the order of the page. One that cannot be has `<!-- not run: reason -->` before it.
const pages = docsPages();
const longestPageMs = 400_000;

for (const page of pages.filter(({ fences }) => fences.some(isRun))) {
  it.concurrent(`the commands of ${page.file} do what it says`, () => runPage(page), longestPageMs);
}

it('few blocks are left out, each with its reason', () => {
  const leftOut = pages.flatMap(({ file, fences }) =>
    fences.flatMap(({ notRun, line }) => (notRun === undefined ? [] : [`${file}:${line}: ${notRun}`])),
  );
  for (const one of leftOut) console.log(`not run: ${one}`);
  expect(leftOut.length).toBeLessThan(12);
});

it('blocks of commands are all marked as such', () => {
  const others = pages.flatMap(({ file, fences }) =>
    fences.flatMap(({ language, line }) =>
      /^(bash|shell|console|zsh)$/.test(language) ? [`${file}:${line}: ${language}`] : [],
    ),
  );
  expect(others).toEqual([]);
});

async function runPage(page: Page): Promise<void> {
  const { surroundings, before = {}, after = {} } = pagesOfCommands[page.file] ?? {};
  const world = await DocsWorld.open(page, surroundings);
  const unmet = new Set(Object.keys(after));
  for (const [n, fence] of page.fences.entries()) {
    if (!isRun(fence)) continue;
    for (const [text, prepare] of Object.entries(before)) if (fence.text.includes(text)) await prepare(world);
    const place = `${page.file}:${fence.line}`;
    if (!hasPrograms(...programsOf(fence.text))) {
      console.log(`not run: ${place}: it needs ${programsOf(fence.text).join(', ')}`);
      continue;
    }
    const output = await world.run(fence).catch((error: unknown) => {
      throw new Error(`${place}: ${(error as Error).message}`);
    });
    for (const [text, expected] of Object.entries(after)) {
      if (!fence.text.includes(text)) continue;
      unmet.delete(text);
      if (expected instanceof RegExp) expect(output, place).toMatch(expected);
      else if (typeof expected === 'function') await expected(world, output);
      else expect(JSON.parse(output), place).toMatchObject(expected);
    }
    const example = page.fences[n + 1];
    if (example !== undefined && isOutputOf(page, fence, example))
      expect(missingLines(example.text, output), `${place}: the output that the page shows`).toEqual([]);
  }
  expect([...unmet], `blocks that ${page.file} does not have`).toEqual([]);
}

function isRun({ language, notRun }: Fence): boolean {
  return language === 'sh' && notRun === undefined;
}

/** A block without a language, right behind a block of commands, shows what they print. */
function isOutputOf({ text }: Page, { line, text: commands }: Fence, next: Fence): boolean {
  if (next.language !== '' && next.language !== 'json') return false;
  const between = text.split('\n').slice(line + commands.split('\n').length, next.line - 2);
  return between.every((one) => one.trim() === '');
}

it('docs/operations.md lists every endpoint of the API', async () => {
  const gateway = await startGateway();
  const known = (await (await fetch(`${gateway.adminUrl}/nope`)).text()).replace(/^known here: |\n$/g, '');
  const paths = known.split(', ').filter((path) => path.startsWith('/api/'));
  expect(paths.length).toBeGreaterThan(5);
  const { text } = readPage('docs/operations.md');
  for (const path of paths) expect(text).toMatch(new RegExp(` ${path}[\`?]`));
});
