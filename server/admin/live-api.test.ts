import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { eventually } from '../../test/support/eventually.ts';
import { onTearDown } from '../../test/support/tear-down.ts';
import { SampledWorld } from '../live/live-sampler.fixture.ts';
import { ask, openAdmin } from './admin.fixture.ts';

async function start(world = new SampledWorld(), token: string | null = null) {
  const admin = await openAdmin({ live: world.sampler, token });
  return { world, admin, port: admin.port };
}

/** A viewer, whose answer is there; `text` is what it was sent so far. */
async function view(port: number): Promise<{ response: IncomingMessage; text: () => string }> {
  const outgoing = request({ host: '127.0.0.1', port, path: '/api/live', agent: false });
  outgoing.on('error', () => undefined);
  outgoing.end();
  onTearDown(() => void outgoing.destroy());
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  response.on('data', (chunk: Buffer) => (text += chunk.toString()));
  response.on('error', () => undefined);
  return { response, text: () => text };
}

function eventsOf(text: string): { event: string; data: unknown }[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      const [, event = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      return { event, data: JSON.parse(data) as unknown };
    });
}

it('GET /api/live sends what is remembered, then every sample', async () => {
  const { world, port } = await start();
  world.pass();
  world.pass();
  const { response, text } = await view(port);
  expect(response.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
  });
  await eventually(() => expect(eventsOf(text()).length).toBe(1));
  world.pass();
  await eventually(() => expect(eventsOf(text()).length).toBe(2));
  const [history, sample] = eventsOf(text());
  expect(history).toEqual({ event: 'history', data: world.sampler.history.slice(0, 2) });
  expect(sample).toEqual({ event: 'sample', data: { ...world.sampler.latest, pools: [] } });
});

it('HEAD /api/live ends at once', async () => {
  const { port } = await start();
  const { status, headers, body } = await ask(port, '/api/live', {}, 'HEAD');
  expect([status, headers['content-type'], body]).toEqual([200, 'text/event-stream', '']);
});

it('/api/live is for GET alone, for our Host alone, and for the token', async () => {
  const { port } = await start();
  expect((await ask(port, '/api/live', {}, 'POST')).status).toBe(405);
  expect((await ask(port, '/api/live', { host: 'evil.example' })).status).toBe(403);
  // A page of another port of this host is of the same site.
  for (const site of ['cross-site', 'same-site'])
    expect((await ask(port, '/api/live', { 'sec-fetch-site': site })).status).toBe(403);
  const locked = await start(new SampledWorld(), 'secret');
  expect((await ask(locked.port, '/api/live')).status).toBe(401);
});

it('lets 32 watch and no more, until one has gone', async () => {
  const { port } = await start();
  const viewers = await Promise.all(Array.from({ length: 32 }, () => view(port)));
  const refused = await ask(port, '/api/live');
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
  expect(JSON.parse(refused.body)).toHaveProperty('faults');
  viewers[0]!.response.destroy();
  await eventually(async () => expect((await view(port)).response.statusCode).toBe(200));
});

it('stops watching with the last viewer', async () => {
  let asked = 0;
  const pools = () => {
    asked++;
    return [];
  };
  const { world, port } = await start(new SampledWorld({ pools }));
  const { response } = await view(port);
  world.pass();
  expect(asked).toBe(1);
  response.destroy();
  await eventually(() => {
    const before = asked;
    world.pass();
    expect(asked).toBe(before);
  });
});

it('cuts off a viewer that does not read, and keeps the others', async () => {
  // Samples so large that a few fill what the kernel holds for a connection.
  const codecs = () => Array.from({ length: 10_000 }, (_, n) => [`codec ${n}`, zero] as const);
  const { world, port } = await start(new SampledWorld({ codecs }));
  const good = await view(port);
  let goodBytes = 0;
  good.response.on('data', (chunk: Buffer) => (goodBytes += chunk.length));
  const bad = connect(port, '127.0.0.1');
  bad.write('GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n');
  bad.on('error', () => undefined);
  onTearDown(() => void bad.destroy());
  await once(bad, 'readable');
  const closed = new Promise((resolve) => bad.once('close', resolve));
  for (let n = 1; n <= 30; n++) {
    world.pass();
    await eventually(() => expect(goodBytes).toBeGreaterThan(n * 450_000));
  }
  bad.resume();
  await closed;
  expect(bad.bytesRead).toBeLessThan(goodBytes * 0.7);
});

it('has one place for all that is asked over one connection at once', async () => {
  const { port } = await start();
  const greedy = connect(port, '127.0.0.1');
  greedy.on('error', () => undefined);
  onTearDown(() => void greedy.destroy());
  greedy.write('GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(64));
  await once(greedy, 'readable');
  const { response } = await view(port);
  expect(response.statusCode).toBe(200);
});

it('ends every viewer when the listener closes', async () => {
  const { admin, port } = await start();
  const { response } = await view(port);
  const closed = new Promise((resolve) => response.once('close', resolve));
  admin.close();
  await closed;
});

const zero = { encodedPlain: 0, encodedPacked: 0, decodedPacked: 0, decodedPlain: 0 };
