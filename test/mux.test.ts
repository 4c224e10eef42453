import { beforeAll, describe, expect, it } from 'vitest';
import type { PerformanceReport } from '../server/admin/performance-report.ts';
import { connectClient, type Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import {
  codePayload,
  muxFrame,
  startMuxBackend,
  varint,
  type MuxBackend,
  type Opening,
} from './support/mux-backend.ts';
import { askAdmin } from './support/operations-api.ts';
import { RawClient, askUpgrade, clientFrame } from './support/raw-client.ts';
import { startSessionBackend } from './support/session-backend.ts';

let backend: MuxBackend;
let gateway: Gateway;

const reconnect = { baseDelayMs: 20, maxDelayMs: 100 };

beforeAll(async () => {
  backend = await startMuxBackend();
  gateway = await startGateway({
    config: {
      listen: { trustedProxies: ['127.0.0.1/32'] },
      pools: {
        main: { mode: 'mux', upstreams: [backend.url], minConnections: 4, maxConnections: 4, reconnect },
      },
    },
  });
});

const number = (n: number): string => `${n} ${'x'.repeat(n % 300)} é`;

describe('mux mode', () => {
  it('carries 500 clients over 4 connections, each its own messages in their order and of their kind', async () => {
    const clients = await Promise.all(Array.from({ length: 500 }, () => connectClient(gateway.url)));
    expect(backend.connectionsNow()).toBe(4);
    await Promise.all(
      clients.map(async (client, index) => {
        for (let n = 0; n < 20; n++) {
          const text = `${index}:${number(n)}`;
          client.send(n % 2 === 0 ? text : Buffer.from(text));
        }
        for (let n = 0; n < 20; n++) {
          const { data, isBinary } = await client.next(10_000);
          expect(data.toString()).toBe(`${index}:${number(n)}`);
          expect(isBinary).toBe(n % 2 === 1);
        }
      }),
    );
    const page = await gateway.metrics();
    expect(page.sum('wsluice_pool_in_flight', { pool: 'main' })).toBe(500);
    expect(page.sum('wsluice_pool_connections', { pool: 'main', state: 'busy' })).toBe(4);
    const { body } = await askAdmin<PerformanceReport>(gateway, 'GET', '/api/admin/performance');
    expect(body.performance.totalRequests).toBe(500 * 20);
    await Promise.all(clients.map((client) => client.close(1000)));
    await eventually(async () =>
      expect((await gateway.metrics()).sum('wsluice_pool_in_flight', { pool: 'main' })).toBe(0),
    );
    expect(backend.faults).toEqual([]);
  });

  it.each([0, 1, 65_535, 65_536, 65_537, 1_000_000, 1_048_576])(
    'passes %i bytes untouched both ways',
    async (size) => {
      const client = await connectClient(gateway.url);
      const text = 'é'.repeat(size >> 1) + 'x'.repeat(size & 1);
      client.send(text);
      client.send(Buffer.from(text));
      expect((await client.next()).data.equals(Buffer.from(text))).toBe(true);
      expect(await client.next()).toEqual({ data: Buffer.from(text), isBinary: true });
    },
  );

  it('tells the backend who the client is, and the client which subprotocol was chosen', async () => {
    const headers = {
      Authorization: 'Bearer canary',
      'X-Forwarded-For': '203.0.113.7',
      'X-Other': 'not passed',
    };
    const client = await connectClient(gateway.at('/ws?room=7'), { protocols: ['first', 'second'], headers });
    expect(client.socket.protocol).toBe('second');
    client.send('!opening');
    const opening = (await client.nextJson()) as unknown as Opening;
    expect(opening).toMatchObject({
      path: '/ws?room=7',
      address: '203.0.113.7',
      protocols: ['first', 'second'],
    });
    expect(opening.headers).toEqual([
      ['authorization', 'Bearer canary'],
      ['x-forwarded-for', '203.0.113.7, 127.0.0.1'],
      ['x-request-id', expect.stringMatching(/^[0-9a-f-]{36}$/)],
    ]);
  });
});

describe('close codes', () => {
  it.each([
    ['!close 4321 from the backend', 4321, 'from the backend'],
    ['!close 1000', 1000, ''],
    ['!close', 1005, ''],
    ['!close 1006', 1012, 'the upstream connection was lost, reconnect'],
  ])('reach the client: %s', async (command, code, reason) => {
    const client = await connectClient(gateway.url);
    client.send(command);
    expect(await client.closed).toEqual({ code, reason });
  });

  it.each([
    ['a code and a reason', (client: Client) => client.socket.close(4001, 'bye'), 4001, 'bye'],
    ['no code', (client: Client) => client.socket.close(), 1005, ''],
    ['no close frame', (client: Client) => client.socket.terminate(), 1006, ''],
  ])('reach the backend: %s', async (_, leave, code, reason) => {
    const client = await connectClient(gateway.url);
    client.send('hello');
    await client.next();
    const before = backend.closings.length;
    leave(client);
    await eventually(() => expect(backend.closings.slice(before)).toMatchObject([{ code, reason }]));
  });
});

describe('a client that does not read', () => {
  it('stops its own stream alone, and is closed with 1013 when it reads nothing for five seconds', async () => {
    const others = await Promise.all(Array.from({ length: 50 }, () => connectClient(gateway.url)));
    const round = async (): Promise<number> => {
      const times: number[] = [];
      for (let n = 0; n < 20; n++) {
        const from = performance.now();
        await Promise.all(others.map((client) => client.call('{"a":1}')));
        times.push(performance.now() - from);
      }
      return Math.min(...times);
    };
    await round();
    const before = await round();
    const { client: slow } = await RawClient.upgrade(gateway.port);
    slow.send(clientFrame('!flood 65000 1000'));
    slow.socket.pause();
    const stream = await eventually(() => {
      const flooded = [...backend.carriers].flatMap(({ streams }) => [...streams.values()]);
      const found = flooded.find(({ waiting, credit }) => waiting > 0 && credit < 65_000);
      expect(found).toBeDefined();
      return found!;
    });
    // The best of many rounds of 50 clients, so that a busy machine does not decide.
    let during = await round();
    for (let more = 0; more < 5 && during >= 2 * before; more++) during = Math.min(during, await round());
    expect(during / before, `${during} ms beside ${before} ms`).toBeLessThan(2);
    expect(stream.waiting).toBeGreaterThan(10_000_000);
    await eventually(
      () => expect(backend.closings.at(-1)).toMatchObject({ stream: stream.id, code: 1013 }),
      12_000,
    );
    const page = await gateway.metrics();
    expect(page.sum('websocket_errors_total', { type: 'slow-reader' })).toBe(1);
    slow.destroy();
    for (const client of others) client.socket.terminate();
  });

  it('gets all of it when it reads slowly, in the end', async () => {
    const client = await connectClient(gateway.url);
    client.send('!flood 300000 40');
    for (let n = 0; n < 40; n++) {
      client.socket.pause();
      await new Promise((resolve) => setTimeout(resolve, 5));
      client.socket.resume();
      const { data, isBinary } = await client.next();
      expect(isBinary && data.length === 300_000 && data.every((byte) => byte === 0x66)).toBe(true);
    }
    client.socket.terminate();
  });
});

describe('a backend', () => {
  const refusing = startMuxBackend({
    onOpen: (carrier, stream, { path }) => {
      const status = Number(path.slice('/refusing?'.length));
      carrier.write(muxFrame(0x03, stream, codePayload(status, 'no')));
      return true;
    },
  });
  const others = Object.fromEntries(
    ['fragile', 'leaving', 'mean', 'careless'].map((name) => [name, startMuxBackend()]),
  ) as Record<'fragile' | 'leaving' | 'mean' | 'careless', Promise<MuxBackend>>;
  const plain = startSessionBackend({ handleProtocols: () => false });
  let strange: Gateway;

  beforeAll(async () => {
    const backends = Object.entries({ refusing, plain, ...others });
    const pools = await Promise.all(
      backends.map(async ([name, started]) => {
        const { url } = await started;
        const limits = name === 'careless' ? { maxMessageBytes: 100_000 } : {};
        return [name, { mode: 'mux', upstreams: [url], reconnect, ...limits }] as const;
      }),
    );
    const routes = backends.map(([name]) => ({ path: `/${name}`, pool: name }));
    strange = await startGateway({ config: { routes, pools: Object.fromEntries(pools) } });
  });

  it('refuses a client with a status of its own', async () => {
    await expect(connectClient(strange.at('/refusing?401'))).rejects.toThrow('refused with 401');
    await expect(connectClient(strange.at('/refusing?503'))).rejects.toThrow('refused with 503');
    await expect(connectClient(strange.at('/refusing?200'))).rejects.toThrow('refused with 503');
  });

  it('that does not answer has its clients turned away at the deadline', async () => {
    const silent = await startMuxBackend({ onOpen: () => true });
    const { url } = await gatewayTo(silent.url, { listen: { handshakeTimeoutMs: 200 } });
    await expect(connectClient(url)).rejects.toThrow('refused with 503');
    await eventually(() => expect(silent.carriers.size).toBe(1));
  });

  it('that is killed loses its clients to 1012, and gets new ones when it is back', async () => {
    const fragile = await others.fragile;
    const url = strange.at('/fragile');
    const clients = await Promise.all(Array.from({ length: 50 }, () => connectClient(url)));
    fragile.kill();
    const closings = await Promise.all(clients.map(({ closed }) => closed));
    expect(new Set(closings.map(({ code }) => code))).toEqual(new Set([1012]));
    await eventually(async () => {
      const client = await connectClient(url);
      client.send('back');
      expect(await client.nextText()).toBe('back');
    });
  });

  it('that says GOAWAY keeps its clients, and gets no new ones on that connection', async () => {
    const leaving = await others.leaving;
    const url = strange.at('/leaving');
    const stays = await connectClient(url);
    const [first] = [...leaving.carriers];
    first!.write(muxFrame(0x08, 0));
    await eventually(async () => {
      await connectClient(url);
      expect(leaving.carriers.size).toBe(2);
    });
    stays.send('still here');
    expect(await stays.nextText()).toBe('still here');
    await stays.close();
    await eventually(() => expect(leaving.carriers.has(first!)).toBe(false));
  });

  it('that does not choose the subprotocol is not spoken to', async () => {
    await expect(connectClient(strange.at('/plain'))).rejects.toThrow('refused with 503');
    const problems = (): unknown[] => strange.logs().map(({ problem }) => problem);
    await eventually(() => expect(problems()).toContain('does not speak wsluice.mux.v1'));
  });

  const hostile: readonly (readonly [what: string, frame: (stream: number) => Buffer, problem: string])[] = [
    ['garbage', () => Buffer.from('garbage'), 'a frame that is cut off'],
    [
      'a stream that was never opened',
      (stream) => muxFrame(0x10, stream + 1_000, 'hi'),
      'a frame on a stream that was never opened',
    ],
    [
      'DATA beyond the credit',
      (stream) => {
        const part = muxFrame(0x13, stream, Buffer.alloc(65_520));
        return Buffer.concat([part, part, part, part, muxFrame(0x11, stream)]);
      },
      'DATA without the credit for it',
    ],
    [
      'a WINDOW too many',
      (stream) => muxFrame(0x05, stream, varint(2 ** 31 - 1)),
      'a WINDOW that is too large',
    ],
    ['a second ACCEPT', (stream) => muxFrame(0x02, stream, varint(1_024)), 'an ACCEPT that nobody waits for'],
    [
      'a REFUSE after ACCEPT',
      (stream) => muxFrame(0x03, stream, codePayload(403)),
      'a REFUSE that nobody waits for',
    ],
    ['an OPEN', (stream) => muxFrame(0x01, stream, '{}'), 'OPEN from the backend'],
    [
      'parts of two kinds',
      (stream) => Buffer.concat([muxFrame(0x12, stream, 'a'), muxFrame(0x11, stream, 'b')]),
      'parts of two kinds in one message',
    ],
    [
      'a frame cut off',
      (stream) => muxFrame(0x10, stream, 'hello').subarray(0, -1),
      'a frame that is cut off',
    ],
  ];
  it.each(hostile)(
    'that sends %s is closed with 1002, and its clients with 1012; the gateway lives',
    async (_, frame, problem) => {
      const mean = await others.mean;
      const url = strange.at('/mean');
      const client = await connectClient(url);
      const [carrier] = [...mean.carriers];
      const closed = new Promise<number>((resolve) => carrier!.socket.once('close', resolve));
      carrier!.socket.send(frame([...carrier!.streams.keys()][0]!), { binary: true });
      expect(await closed).toBe(1002);
      expect((await client.closed).code).toBe(1012);
      expect(strange.hasExited()).toBe(false);
      // In the log once for each fault: what was told a moment ago is not told again.
      const told = (): unknown[] =>
        strange
          .logs()
          .filter(({ msg }) => msg === 'upstream breaks the mux protocol')
          .map(({ problem }) => problem);
      await eventually(() => expect(told()).toContain(problem));
      expect(new Set(told()).size).toBe(told().length);
      await eventually(async () => {
        const next = await connectClient(url);
        next.send('alive');
        expect(await next.nextText()).toBe('alive');
      });
    },
  );

  it.each([
    ['text that is not UTF-8', (stream: number) => muxFrame(0x10, stream, Buffer.from([0xff])), 1007],
    [
      'a message that is too long',
      (stream: number) => {
        const part = muxFrame(0x13, stream, Buffer.alloc(65_520));
        return Buffer.concat([part, part]);
      },
      1009,
    ],
  ])('that sends %s loses that stream and no other', async (_, frames, code) => {
    const careless = await others.careless;
    const url = strange.at('/careless');
    const before = careless.closings.length;
    const [client, other] = [await connectClient(url), await connectClient(url)];
    const [carrier] = [...careless.carriers];
    carrier!.write(frames([...carrier!.streams.keys()].at(-2)!));
    expect((await client.closed).code).toBe(1012);
    await eventually(() => expect(careless.closings.slice(before)).toMatchObject([{ code }]));
    other.send('well');
    expect(await other.nextText()).toBe('well');
  });
});

it('keeps its clients through the restart of the only backend, in a pause', async () => {
  const deployed = await startMuxBackend();
  const { url, adminUrl } = await gatewayTo(deployed.url);
  const clients = await Promise.all(Array.from({ length: 50 }, () => connectClient(url)));
  await Promise.all(clients.map((client) => client.call('{"before":1}')));
  const order = (what: string): Promise<Response> =>
    fetch(`${adminUrl}/api/pools/main/${what}`, { method: 'POST' });
  expect((await order('pause')).ok).toBe(true);
  await deployed.stop();
  clients.forEach((client, n) => client.send(`held ${n}`));
  await deployed.start();
  expect((await order('resume')).ok).toBe(true);
  const texts = await Promise.all(clients.map((client) => client.nextText(10_000)));
  expect(texts).toEqual(clients.map((_, n) => `held ${n}`));
  expect(deployed.openings.slice(50).map(({ resumed }) => resumed)).toEqual(clients.map(() => true));
  expect(deployed.faults).toEqual([]);
});

it('holds what a backend has no credit for, up to the limit, then closes with 1013', async () => {
  const stingy = await startMuxBackend({ window: 2_048, onMessage: () => undefined });
  const { url } = await gatewayTo(stingy.url, {
    listen: { maxBackpressureBytes: 100_000, maxMessageBytes: 100_000 },
  });
  const client = await connectClient(url);
  const [carrier] = [...stingy.carriers];
  // From here on nothing is given back.
  carrier!.onMessage = () => undefined;
  for (let n = 0; n < 5; n++) client.send('x'.repeat(50_000));
  expect(await client.closed).toEqual({
    code: 1013,
    reason: 'the upstream reads too slowly, try again later',
  });
});

it('turns clients away with 503 and Retry-After when all connections are full and the queue is too', async () => {
  const small = await startMuxBackend();
  const { url, port } = await gatewayTo(
    small.url,
    {},
    { maxStreamsPerConnection: 2, maxConnections: 2, queue: { maxSize: 1, timeoutMs: 300 } },
  );
  const seated = [await connectClient(url), await connectClient(url)];
  seated.push(await connectClient(url), await connectClient(url));
  const waits = askUpgrade(port);
  await eventually(async () => {
    const answer = await askUpgrade(port);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
  });
  expect((await waits).status).toBe(503);
  await seated[0]!.close();
  await eventually(() => connectClient(url));
  expect(small.connectionsPeak()).toBe(2);
});

/** A gateway of one pool in mux mode, with what differs of the whole configuration and of the pool's. */
async function gatewayTo(url: string, config: object = {}, pool: object = {}): Promise<Gateway> {
  const main = { mode: 'mux', upstreams: [url], reconnect, ...pool };
  return startGateway({ config: { ...config, pools: { main } } });
}
