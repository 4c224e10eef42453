import { itemsOf } from '../kind.ts';
import type { Kind } from '../kind.ts';
import type { World } from '../world.ts';

/** Model Context Protocol: tool calls, their results, progress; large results are files, rows and search hits. */
export const mcp: Kind = {
  name: 'mcp',
  small: (world) => world.random.pick([toolCall, toolCall, toolResult, toolResult, progress, failure])(world),
  large: (world, bytes) =>
    result(world, world.random.pick([fileText, rowsText, hitsText])(world, bytes * 0.9)),
};

const request = (world: World, method: string, params: object): object => ({
  ...{ jsonrpc: '2.0', id: world.random.whole(3, 60_000), method, params },
});

const result = (world: World, text: string, isError = false): object => ({
  ...{ jsonrpc: '2.0', id: world.random.whole(3, 60_000) },
  result: { content: [{ type: 'text', text }], isError },
});

function toolCall(world: World): object {
  const { random, words } = world;
  const byName = random.pick([
    { path: world.file(), startLine: random.whole(1, 400), endLine: random.whole(401, 900) },
    { query: `${world.noun()} ${world.noun()}`, limit: random.pick([5, 10, 20, 50]), sort: 'updated' },
    {
      sql: `SELECT id, ${world.noun()} FROM ${world.noun()}s WHERE updated_at > '${world.isoTime()}' LIMIT 50`,
    },
    { title: world.title(), body: world.sentence(), labels: [world.noun()] },
    {
      id: random.uuid(),
      fields: { status: random.pick(['open', 'done', 'waiting']), note: world.sentence() },
    },
  ]);
  const meta = random.chance(0.5) ? { _meta: { progressToken: random.whole(1, 9_000) } } : {};
  return request(world, 'tools/call', { name: random.pick(words.tools), arguments: byName, ...meta });
}

function toolResult(world: World): object {
  const { random } = world;
  const text = random.pick([
    () => world.sentences(random.whole(1, 3)),
    () =>
      JSON.stringify({
        id: random.uuid(),
        status: 'ok',
        updatedAt: world.isoTime(),
        rows: random.whole(0, 90),
      }),
    () => `${world.file()}:${random.whole(1, 900)}: ${world.codeLine()}\n${world.codeLine()}`,
  ]);
  return result(world, text());
}

function progress(world: World): object {
  const total = world.random.whole(10, 400);
  const params = {
    ...{ progressToken: world.random.whole(1, 9_000), progress: world.random.whole(1, total), total },
    message: world.sentence(),
  };
  return { jsonrpc: '2.0', method: 'notifications/progress', params };
}

function failure(world: World): object {
  const { random } = world;
  const data = { requestId: random.uuid(), retryAfterMs: random.whole(50, 30_000), at: world.isoTime() };
  const code = random.pick([-32602, -32603, -32001]);
  return { jsonrpc: '2.0', id: random.whole(3, 60_000), error: { code, message: world.sentence(), data } };
}

function fileText(world: World, bytes: number): string {
  return itemsOf(bytes, () => '  '.repeat(world.random.whole(0, 3)) + world.codeLine()).join('\n');
}

function rowsText(world: World, bytes: number): string {
  const { random } = world;
  // Quotes are escaped when this text is sent, so that it grows by about a fifth.
  const rows = itemsOf(bytes * 0.8, () => ({
    id: random.uuid(),
    name: world.title(),
    status: random.pick(['active', 'archived', 'waiting']),
    total: random.whole(100, 999_999) / 100,
    updatedAt: world.isoTime(),
    note: random.chance(0.3) ? world.sentence() : null,
  }));
  return JSON.stringify(rows);
}

function hitsText(world: World, bytes: number): string {
  return itemsOf(
    bytes,
    () =>
      `### ${world.title()}\n${world.file()} (score ${world.random.next().toFixed(4)})\n> ${world.sentences(2)}\n`,
  ).join('\n');
}
