import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { connectClient } from '../client.ts';
import type { DocsWorld, Surroundings } from './world.ts';

/** What is known of a page beyond that its commands must not fail. */
export interface PageOfCommands {
  readonly surroundings?: Surroundings;
  /** Done before the block that has this text in it. */
  readonly before?: Readonly<Record<string, (world: DocsWorld) => Promise<void>>>;
  /** What the block that has this text in it must have printed, or brought about. */
  readonly after?: Readonly<
    Record<string, object | RegExp | ((world: DocsWorld, output: string) => Promise<void>)>
  >;
}

const root = resolve(import.meta.dirname, '../../..');

const connectSomebody = async (world: DocsWorld): Promise<void> => {
  await world.onlyUsualGateway();
  await connectClient(world.clientUrl);
};

const samples = (): string =>
  globSync(join(root, 'loadtest/corpus/train/*.ndjson'))
    .sort()
    .map((file) => readFileSync(file, 'utf8'))
    .join('');

export const pagesOfCommands: Readonly<Record<string, PageOfCommands>> = {
  'README.md': {
    after: {
      'npx wscat': /hello/,
      'node -e': /1,000 clients, 1,000 answers/,
      'curl -s http://127.0.0.1:8081/metrics': /^websocket_connections_total 1000$/m,
    },
  },
  'docs/quick-start.md': {
    before: { 'node gateway.mjs': (world) => world.endAll() },
    after: {
      'node gateway.mjs': /^clients: \d+, operators: \d+$/m,
      'npx wscat': /hello/,
      '8081/health': /"status":"ok"/,
    },
  },
  'docs/client.md': { after: { 'node client.mjs': /^6054 characters came back$/m } },
  'docs/codecs.md': { surroundings: { files: { 'samples.ndjson': samples() } } },
  // Where clients do not fit doctor ends with 1, like a program that breaks: what it says counts.
  'docs/doctor.md': {
    after: {
      'npm start -- doctor': /^This machine can hold [\d,]+ connections/m,
      'doctor --json': { maxConnections: 16_000, engineProblem: null },
    },
  },
  'docs/operations.md': {
    before: { '/api/clients?offset=0': connectSomebody },
    after: {
      'doctor --config wsluice.yaml':
        /configuration: wsluice\.yaml.*\n[^]*^This machine can hold [\d,]+ connections/m,
      '-sf -X POST http://127.0.0.1:8081/api/pools/main/pause': { paused: true, inFlight: 0 },
      'pause?timeoutMs=2000': { paused: true },
      '-sf -X POST http://127.0.0.1:8081/api/pools/main/resume': { paused: false },
      '/api/pools/main/reconnect': { name: 'main' },
      '"upstreams":': { removed: [], added: [] },
      '/api/clients?offset=0': { total: 1, clients: [{ id: 1 }] },
      'sort=messages': { clients: [{ id: 1 }] },
      '/api/clients/1': { id: 1, closed: true },
      '/api/drain': async (world, output) => {
        expect(JSON.parse(output)).toEqual({ draining: true });
        expect(await world.gateway?.exited).toBe(0);
      },
    },
  },
  'docs/rate-limits.md': {
    after: {
      '--rate-limit': async (world) => expect(await limitedScopes(world)).toEqual(['ip', 'connection']),
      '-X PUT': async (world) => expect(await limitedScopes(world)).toEqual(['ip']),
    },
  },
  'docs/watching.md': {
    after: {
      '8081 --once': /^wsluice [^]*^clients +0 of [^]*^POOL [^]*^main +request +ok /m,
      '/health/detailed': { status: 'ok', problems: [] },
      '/api/admin/performance': { performance: { totalRequests: 0 } },
      'sort=bytes': { total: 0, clients: [] },
    },
  },
  'docs/troubleshooting.md': {
    after: {
      '--heapsnapshot-signal': async (world) => {
        await world.gateway!.stop('SIGTERM');
      },
      '--cpu-prof': async (world) => {
        await world.gateway!.stop('SIGTERM');
        expect(globSync('wsluice-profiles/*.cpuprofile', { cwd: world.dir })).not.toEqual([]);
      },
    },
  },
};

async function limitedScopes(world: DocsWorld): Promise<string[]> {
  const answer = await fetch(`${world.adminUrl}/api/limits`);
  const { limits } = (await answer.json()) as { limits: { isImplied: boolean; config: { scope: string } }[] };
  return limits.filter(({ isImplied }) => !isImplied).map(({ config }) => config.scope);
}
