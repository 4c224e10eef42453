import { itemsOf } from '../kind.ts';
import type { Kind } from '../kind.ts';
import type { World } from '../world.ts';

/** The Language Server Protocol: positions, diagnostics, edits, completions. */
export const lsp: Kind = {
  name: 'lsp',
  small: (world) => world.random.pick([ask, didChange, diagnostics, hover, locations])(world),
  large: (world, bytes) => world.random.pick([completions, symbols, semanticTokens])(world, bytes * 0.97),
};

const asks = [
  'textDocument/hover',
  'textDocument/definition',
  'textDocument/completion',
  'textDocument/references',
];
const reply = (world: World, result: unknown): object => ({
  ...{ jsonrpc: '2.0', id: world.random.whole(1, 20_000), result },
});

function uri(world: World): string {
  return `file:///workspace/${world.file()}`;
}

function position(world: World): object {
  return { line: world.random.whole(0, 900), character: world.random.whole(0, 110) };
}

function range(world: World): object {
  const [line, character] = [world.random.whole(0, 900), world.random.whole(0, 70)];
  return { start: { line, character }, end: { line, character: character + world.random.whole(3, 30) } };
}

function ask(world: World): object {
  const params = { textDocument: { uri: uri(world) }, position: position(world) };
  return { jsonrpc: '2.0', id: world.random.whole(1, 20_000), method: world.random.pick(asks), params };
}

function didChange(world: World): object {
  const textDocument = { uri: uri(world), version: world.random.whole(2, 3_000) };
  const contentChanges = [{ range: range(world), rangeLength: 0, text: world.codeLine() }];
  return { jsonrpc: '2.0', method: 'textDocument/didChange', params: { textDocument, contentChanges } };
}

function diagnostics(world: World): object {
  const { random, words } = world;
  const problem = random.pick([
    `'${random.pick(words.symbols)}' is declared but its value is never read.`,
    `Property '${world.noun()}' does not exist on type '${random.pick(words.symbols)}'.`,
    `Cannot find name '${world.noun()}'.`,
  ]);
  const diagnostic = {
    ...{ range: range(world), severity: random.whole(1, 3), code: random.whole(2_300, 6_200) },
    ...{ source: 'ts', message: problem },
  };
  const params = { uri: uri(world), version: random.whole(2, 3_000), diagnostics: [diagnostic] };
  return { jsonrpc: '2.0', method: 'textDocument/publishDiagnostics', params };
}

function hover(world: World): object {
  const code = `\`\`\`typescript\n${world.codeLine()}\n\`\`\``;
  const contents = { kind: 'markdown', value: `${code}\n${world.sentence()}` };
  return reply(world, { contents, range: range(world) });
}

function locations(world: World): object {
  const count = world.random.whole(1, 3);
  return reply(
    world,
    Array.from({ length: count }, () => ({ uri: uri(world), range: range(world) })),
  );
}

function completions(world: World, bytes: number): object {
  const { random, words } = world;
  const items = itemsOf(bytes, () => ({
    label: `${random.pick(words.symbols)}${world.title().replace(/ .*/, '')}`,
    kind: random.whole(1, 25),
    detail: world.codeLine(),
    documentation: { kind: 'markdown', value: world.sentence() },
    sortText: String(random.whole(10, 16)),
    data: { file: world.file(), offset: random.whole(10, 90_000), id: random.whole(1, 4_000) },
  }));
  return reply(world, { isIncomplete: true, items });
}

function symbols(world: World, bytes: number): object {
  const { random, words } = world;
  return reply(
    world,
    itemsOf(bytes, () => ({
      ...{ name: random.pick(words.symbols), containerName: world.noun(), kind: random.whole(1, 25) },
      ...{ range: range(world), selectionRange: range(world), deprecated: random.chance(0.05) },
    })),
  );
}

function semanticTokens(world: World, bytes: number): object {
  const { random } = world;
  const tokens = itemsOf(bytes, () => [
    random.chance(0.3) ? random.whole(1, 3) : 0,
    ...[random.whole(1, 40), random.whole(1, 18), random.whole(0, 11), random.pick([0, 0, 1, 8])],
  ]);
  return reply(world, { resultId: String(random.whole(1, 500)), data: tokens.flat() });
}
