import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { selfSignedCertificate } from './support/certificate.ts';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { OPCODE, RawClient, clientFrame } from './support/raw-client.ts';
import { startSessionBackend } from './support/session-backend.ts';
import type { SessionBackend } from './support/session-backend.ts';
import { tempDir } from './support/temp-dir.ts';

const LARGEST_MESSAGE = 1_048_576;

let backend: SessionBackend;
let greeter: SessionBackend;
let warm: SessionBackend;
let gateway: Gateway;

beforeAll(async () => {
  const choose = (offered: Set<string>): string | false => (offered.has('second') ? 'second' : false);
  backend = await startSessionBackend({ handleProtocols: choose });
  greeter = await startSessionBackend({ greeting: 'welcome' });
  warm = await startSessionBackend();
  const reconnect = { baseDelayMs: 20 };
  gateway = await startGateway({
    config: {
      listen: { maxMessageBytes: LARGEST_MESSAGE, trustedProxies: ['127.0.0.1/32'] },
      routes: [
        { path: '/ws', pool: 'main' },
        { path: '/greeter', pool: 'greeter' },
        { path: '/warm', pool: 'warm' },
      ],
      pools: {
        main: { mode: 'session', upstreams: [backend.url], minConnections: 0, reconnect },
        greeter: { mode: 'session', upstreams: [greeter.url], minConnections: 0, reconnect },
        warm: { mode: 'session', upstreams: [warm.url], minConnections: 3, reconnect },
      },
    },
  });
});

describe('warm connections', () => {
  it('are dialled before any client comes, and handed to plain clients', async () => {
    await eventually(() => expect(warm.connectionsNow()).toBe(3));
    const client = await connectClient(gateway.at('/warm'));
    client.send('!number');
    expect(Number(await client.nextText()), 'the number of its upstream connection').toBeLessThanOrEqual(3);
    await eventually(() => expect(warm.connectionsNow(), 'three warm and one leased').toBe(4));
  });

  it('are not handed to a client that brings credentials', async () => {
    const dialled = warm.upgrades.length;
    const client = await connectClient(gateway.at('/warm'), { headers: { Authorization: 'Bearer canary' } });
    client.send('!number');
    expect(Number(await client.nextText())).toBeGreaterThan(dialled);
  });

  it('are never given to a second client', async () => {
    const first = await connectClient(gateway.at('/warm'));
    first.send('!number');
    const number = await first.nextText();
    await first.close(1000);
    const second = await connectClient(gateway.at('/warm'));
    second.send('!number');
    expect(await second.nextText()).not.toBe(number);
  });
});

describe('messages', () => {
  const sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000, LARGEST_MESSAGE];

  it.each(sizes)('passes text of %i bytes untouched both ways', async (size) => {
    const client = await connectClient(gateway.url);
    const text = 'é'.repeat(size >> 1) + 'x'.repeat(size & 1);
    client.send(text);
    const echoed = await client.next();
    expect(echoed.isBinary).toBe(false);
    expect(echoed.data.equals(Buffer.from(text)), `${echoed.data.length} bytes came back`).toBe(true);
    await client.close();
  });

  it.each(sizes)('passes binary of %i bytes untouched both ways', async (size) => {
    const client = await connectClient(gateway.url);
    const bytes = Buffer.alloc(size, 'every byte counts \u0000\u00ff');
    client.send(bytes);
    const echoed = await client.next();
    expect(echoed.isBinary).toBe(true);
    expect(echoed.data.equals(bytes), `${echoed.data.length} bytes came back`).toBe(true);
    await client.close();
  });

  it('joins fragments from a client, with a ping between them', async () => {
    const { client } = await RawClient.upgrade(gateway.port);
    client.send(clientFrame('one ', { fin: false }));
    client.send(clientFrame('beat', { opcode: OPCODE.ping }));
    client.send(clientFrame('', { opcode: OPCODE.continuation, fin: false }));
    client.send(clientFrame('two', { opcode: OPCODE.continuation }));
    const pong = await client.nextFrame();
    expect([pong.opcode, pong.payload.toString()]).toEqual([OPCODE.pong, 'beat']);
    const echoed = await client.nextFrame();
    expect([echoed.opcode, echoed.payload.toString()]).toEqual([OPCODE.text, 'one two']);
  });

  it('joins fragments from the backend', async () => {
    const client = await connectClient(gateway.url);
    expect(await send(client, '!fragments one two three')).toBe('onetwothree');
  });

  it('keeps the order of messages sent while the upstream is only being dialled', async () => {
    const { client } = await RawClient.upgrade(gateway.port);
    const texts = Array.from({ length: 100 }, (_, i) => String(i));
    for (const text of texts) client.send(clientFrame(text));
    for (const text of texts) expect((await client.nextFrame()).payload.toString()).toBe(text);
  });

  it('of 8 MB pass from the backend to a client that reads', async () => {
    const client = await connectClient(gateway.url);
    client.send('!flood 8000000 1');
    expect((await client.next()).data).toHaveLength(8_000_000);
    expect(await send(client, 'still open')).toBe('still open');
  });

  it('delivers what the backend says on connect before anything else', async () => {
    const client = await connectClient(gateway.at('/greeter'));
    client.send('hello');
    expect(await client.nextText()).toBe('welcome');
    expect(await client.nextText()).toBe('hello');
  });

  it('answers the pings of a client and of a backend', async () => {
    const client = await connectClient(gateway.url);
    const pong = new Promise<string>((resolve) =>
      client.socket.once('pong', (data) => resolve(data.toString())),
    );
    client.socket.ping('are you there');
    expect(await pong).toBe('are you there');
    expect(await send(client, '!ping')).toBe('pong from the backend');
  });

  it('counts messages and bytes', async () => {
    const before = await gateway.metrics();
    const client = await connectClient(gateway.url);
    for (let i = 0; i < 10; i++) await send(client, 'x'.repeat(100));
    const after = await gateway.metrics();
    const grown = (name: string): number => after.sum(name) - before.sum(name);
    expect(grown('websocket_messages_received_total')).toBe(10);
    expect(grown('websocket_messages_sent_total')).toBe(10);
    expect(grown('websocket_bytes_received_total')).toBeGreaterThanOrEqual(1_000);
    expect(grown('websocket_bytes_sent_total')).toBeGreaterThanOrEqual(1_000);
  });
});

describe('the subprotocol', () => {
  it('is the one that the upstream chose among those offered', async () => {
    const client = await connectClient(gateway.url, { protocols: ['first', 'second'] });
    expect(client.socket.protocol).toBe('second');
    expect(backend.upgrades.at(-1)?.headers['sec-websocket-protocol']).toMatch(/^first, ?second$/);
  });

  it('is absent when the upstream chose none', async () => {
    const headers = { 'Sec-WebSocket-Protocol': 'first, third' };
    const { client, answer } = await RawClient.upgrade(gateway.port, { headers });
    expect(answer.status).toBe(101);
    expect(answer.headers['sec-websocket-protocol']).toBeUndefined();
    client.send(clientFrame('still works'));
    expect((await client.nextFrame()).payload.toString()).toBe('still works');
  });
});

describe('the close', () => {
  const codes: [number, string][] = [
    [1000, ''],
    [1000, 'done'],
    [1001, 'going'],
    [1008, 'policy'],
    [1011, 'broken'],
    [3000, 'a reason'],
    [4999, 'ünïcode reason'],
  ];

  it.each(codes)('passes %i "%s" from the backend to the client', async (code, reason) => {
    const client = await connectClient(gateway.url);
    client.send(`!close ${code} ${reason}`);
    expect(await client.closed).toEqual({ code, reason });
  });

  // The engine tells of a client's code between 1012 and 3999 as if there had been none.
  const codesFromClients = codes.filter(([code]) => code <= 1011 || code >= 4000);

  it.each(codesFromClients)('passes %i "%s" from the client to the backend', async (code, reason) => {
    const client = await connectClient(gateway.url);
    await send(client, 'hello');
    const seen = backend.closings.length;
    await client.close(code, reason);
    await eventually(() => expect(backend.closings.slice(seen)).toEqual([{ code, reason }]));
  });

  it('passes a close without a code both ways', async () => {
    const told = await connectClient(gateway.url);
    told.send('!close');
    expect((await told.closed).code).toBe(1005);
    const telling = await connectClient(gateway.url);
    await send(telling, 'hello');
    const seen = backend.closings.length;
    await telling.close();
    await eventually(() => expect(backend.closings.slice(seen)).toEqual([{ code: 1005, reason: '' }]));
  });

  it('is 1012 when the upstream connection breaks', async () => {
    const client = await connectClient(gateway.url);
    client.send('!terminate');
    expect((await client.closed).code).toBe(1012);
  });

  it('is 1012 for every client when the backend dies', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => connectClient(gateway.url)));
    for (const client of clients) await send(client, 'hello');
    backend.kill();
    const codesSeen = await Promise.all(clients.map(async (client) => (await client.closed).code));
    expect(codesSeen).toEqual(Array.from(clients, () => 1012));
  });

  it('gives the upstream connection up when the client vanishes', async () => {
    const { client } = await RawClient.upgrade(gateway.port);
    client.send(clientFrame('hello'));
    await client.nextFrame();
    const open = backend.connectionsNow();
    client.destroy();
    await eventually(() => expect(backend.connectionsNow()).toBe(open - 1));
  });

  it('is 1009 for a message that is too big, and the backend sees none of it', async () => {
    const client = await connectClient(gateway.url);
    client.send(Buffer.alloc(LARGEST_MESSAGE + 1));
    expect((await client.closed).code).toBe(1009);
  });

  // The engine cuts the connection without a close frame, which RFC 6455, section 7.1.7 allows.
  it('comes at once for text that is not UTF-8, and the backend sees none of it', async () => {
    const { client } = await RawClient.upgrade(gateway.port);
    client.send(clientFrame('hello'));
    await client.nextFrame();
    const seen = backend.closings.length;
    client.send(clientFrame(Buffer.from([0x21, 0xff, 0xfe])));
    expect([1006, 1007]).toContain(await client.closed);
    await eventually(() => expect(backend.closings.slice(seen)).toHaveLength(1));
  });

  it('is 1013 for a slow reader, whose messages are held within bounds', async () => {
    const { client } = await RawClient.upgrade(gateway.port);
    client.send(clientFrame('hello'));
    await client.nextFrame();
    client.socket.pause();
    const before = rssMb(gateway);
    client.send(clientFrame('!flood 65536 1600'));
    const cutOff = async (): Promise<number> =>
      (await gateway.metrics()).sum('websocket_errors_total', { type: 'slow-reader' });
    await eventually(async () => expect(await cutOff(), 'slow readers cut off').toBe(1));
    expect(rssMb(gateway) - before, 'megabytes grown for 100 MB sent').toBeLessThan(48);
    client.socket.resume();
    expect(await client.closed).toBe(1013);
  });
});

describe('an upstream that stops reading', () => {
  it('costs the client that floods it a 1013, and is read from again later', async () => {
    const client = await connectClient(gateway.at('/greeter'));
    expect(await client.nextText()).toBe('welcome');
    greeter.stall();
    const chunk = Buffer.alloc(65_536);
    for (let sent = 0; sent < 32 << 20; sent += chunk.length) client.send(chunk);
    expect((await client.closed).code).toBe(1013);
    greeter.resume();
    expect(await (await connectClient(gateway.at('/greeter'))).nextText()).toBe('welcome');
  });
});

describe('what the upstream learns of a client', () => {
  it('is its Authorization, Cookie and query', async () => {
    const headers = {
      Authorization: 'Bearer canary',
      Cookie: 'session=1; theme=dark',
      'X-Private': 'not passed on',
    };
    await connectClient(gateway.at('/ws?room=7&lang=de'), { headers });
    const upgrade = backend.upgrades.at(-1);
    expect(upgrade?.headers).toMatchObject({
      authorization: 'Bearer canary',
      cookie: 'session=1; theme=dark',
    });
    expect(upgrade?.headers).not.toHaveProperty('x-private');
    expect(upgrade?.path).toMatch(/\?room=7&lang=de$/);
  });

  it('is never an X-Forwarded-For that an untrusted peer made up', async () => {
    const { client } = await RawClient.upgrade(gateway.port, {
      from: '127.0.0.9',
      headers: { Authorization: 'Basic eDp5', 'X-Forwarded-For': '6.6.6.6' },
    });
    expect(backend.upgrades.at(-1)?.headers['x-forwarded-for']).toBe('127.0.0.9');
    client.destroy();
  });

  it('is the X-Forwarded-For of a trusted proxy', async () => {
    const { client } = await RawClient.upgrade(gateway.port, {
      headers: { Authorization: 'Basic eDp5', 'X-Forwarded-For': '198.51.100.4' },
    });
    expect(backend.upgrades.at(-1)?.headers['x-forwarded-for']).toMatch(/^198\.51\.100\.4\b/);
    client.destroy();
  });

  it('appears in no log', () => {
    expect(gateway.output()).not.toContain('canary');
    expect(gateway.output()).not.toContain('room=7');
  });
});

describe('transports', () => {
  it('serves wss:// and dials wss:// and ws+unix:', async () => {
    const certificate = selfSignedCertificate();
    const secure = await startSessionBackend({ certificate });
    const local = await startSessionBackend({ unixPath: join(tempDir(), 'backend.sock') });
    const served = await startGateway({
      config: {
        listen: { tls: { cert: certificate.certPath, key: certificate.keyPath } },
        routes: [
          { path: '/secure', pool: 'secure' },
          { path: '/local', pool: 'local' },
        ],
        pools: {
          secure: { mode: 'session', upstreams: [secure.url] },
          local: { mode: 'session', upstreams: [local.url] },
        },
      },
      env: { NODE_EXTRA_CA_CERTS: certificate.certPath },
    });
    for (const path of ['/secure', '/local']) {
      const client = await connectClient(`wss://127.0.0.1:${served.port}${path}`, { ca: certificate.cert });
      expect(await send(client, `over ${path}`)).toBe(`over ${path}`);
      const large = Buffer.alloc(500_000, path);
      client.send(large);
      expect((await client.next()).data.equals(large), `500 KB over ${path}`).toBe(true);
      expect(await client.close(4001, path)).toEqual({ code: 4001, reason: path });
    }
    await eventually(() => {
      expect(secure.closings).toEqual([{ code: 4001, reason: '/secure' }]);
      expect(local.closings).toEqual([{ code: 4001, reason: '/local' }]);
    });
  });

  it('refuses an upstream whose certificate nobody vouches for', async () => {
    const secure = await startSessionBackend({ certificate: selfSignedCertificate() });
    const served = await startGateway({ args: ['--upstream', secure.url] });
    await expect(connectClient(served.url, { protocols: ['second'] })).rejects.toThrow('refused with 503');
    expect(secure.upgrades).toEqual([]);
  });
});

async function send(client: Awaited<ReturnType<typeof connectClient>>, text: string): Promise<string> {
  client.send(text);
  return client.nextText();
}

function rssMb({ pid }: Gateway): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}
