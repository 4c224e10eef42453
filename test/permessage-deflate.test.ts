import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, deflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { PerMessageDeflateOptions } from 'ws';
import { startChild } from './support/child.ts';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { CHECKOUT, startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { seededRandom } from './support/random.ts';
import { RawClient, clientFrame } from './support/raw-client.ts';
import { startSessionBackend } from './support/session-backend.ts';
import { onTearDown } from './support/tear-down.ts';

const MIB = 1 << 20;
const RSV1 = 4;
const CAP_BYTES = 8 * MIB;
const TAKEOVER = 'permessage-deflate; client_max_window_bits';

/** What a message looks like inside a compressed frame. */
function deflated(data: string | Buffer): Buffer {
  return deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH, windowBits: 9 }).subarray(0, -4);
}

/** A text that compresses to about a quarter, different for each seed. */
function prose(length: number, seed = 1): string {
  const random = seededRandom(seed);
  const words = ['gateway', 'connection', 'pool', 'é', 'upstream', 'client', '"result":', 'message', '42'];
  let text = '';
  while (text.length < length) text += `${words[Math.floor(random() * words.length)] ?? ''} `;
  return text.slice(0, length);
}

/** A `ws` client that offers the extension, what was agreed, and the bytes that came to it since it was open. */
async function deflatingClient(url: string, offer: PerMessageDeflateOptions = {}) {
  const socket = new WebSocket(url, { perMessageDeflate: { threshold: 0, ...offer } });
  onTearDown(() => socket.terminate());
  const [[response]] = (await Promise.all([once(socket, 'upgrade'), once(socket, 'open')])) as [
    [IncomingMessage],
    unknown,
  ];
  const before = response.socket.bytesRead;
  const echo = async (data: string | Buffer): Promise<string | Buffer> => {
    socket.send(data);
    const [reply, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
    return isBinary ? reply : reply.toString();
  };
  const agreed = response.headers['sec-websocket-extensions'] ?? '';
  return { socket, agreed, echo, bytesRead: () => response.socket.bytesRead - before };
}

function residentBytes(pid: number): number {
  const [, kib = ''] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kib) * 1_024;
}

describe.each(['shared', 'dedicated-4KB', 'dedicated-256KB'])('permessage-deflate: %s', (mode) => {
  let gateway: Gateway;

  beforeAll(async () => {
    const [echo, rpc] = [await startSessionBackend(), await startJsonRpcBackend()];
    gateway = await startGateway({
      config: {
        listen: { permessageDeflate: mode, maxMessageBytes: CAP_BYTES },
        codec: { minBytes: 200 },
        routes: [
          { path: '/ws', pool: 'echo' },
          { path: '/rpc', pool: 'rpc' },
        ],
        pools: {
          echo: { mode: 'session', upstreams: [echo.url] },
          rpc: { mode: 'request', upstreams: [rpc.url] },
        },
      },
    });
  });

  it('carries messages of all sizes both ways, again and again', async () => {
    const { socket, echo, bytesRead } = await deflatingClient(gateway.url);
    expect(socket.extensions).toContain('permessage-deflate');
    let bytes = 0;
    for (const length of [0, 1, 100, 199, 200, 1_000, 16_384, 100_000, 1_000_000, 10, 1_000]) {
      const text = prose(length, length);
      bytes += length;
      expect((await echo(text)) === text, `a text of ${length}`).toBe(true);
      const binary = Buffer.from(text);
      bytes += binary.length;
      expect(binary.equals((await echo(binary)) as Buffer), `${length} bytes`).toBe(true);
    }
    expect(bytesRead()).toBeLessThan(bytes / 2);
  });

  it('carries what cannot be compressed, and what is too long to be', async () => {
    const { echo } = await deflatingClient(gateway.url);
    const random = seededRandom(7);
    const noise = Buffer.from(Uint8Array.from({ length: 50_000 }, () => random() * 256));
    expect(noise.equals((await echo(noise)) as Buffer)).toBe(true);
    const long = 'x'.repeat(3 * MIB);
    expect((await echo(long)) === long).toBe(true);
  });

  it('carries fragments, in both forms', async () => {
    const { socket } = await deflatingClient(gateway.url);
    const parts = [prose(500, 1), prose(300_000, 2), '', prose(5, 3)];
    for (const compress of [true, false]) {
      parts.forEach((part, i) => socket.send(part, { fin: i === parts.length - 1, compress }));
      const [reply] = (await once(socket, 'message')) as [Buffer];
      expect(reply.toString() === parts.join('')).toBe(true);
    }
  });

  it.each<[string, PerMessageDeflateOptions]>([
    ['server_no_context_takeover', { serverNoContextTakeover: true }],
    ['client_no_context_takeover', { clientNoContextTakeover: true }],
    ['server_max_window_bits=10', { serverMaxWindowBits: 10 }],
    ['client_max_window_bits=10', { clientMaxWindowBits: 10 }],
  ])('keeps what a client asks for by %s, or does not compress', async (parameter, offer) => {
    const { agreed, echo } = await deflatingClient(gateway.url, offer);
    // What is asked of the gateway must be confirmed; what the client does itself need not be.
    if (agreed !== '' && parameter.startsWith('server')) expect(agreed).toContain(parameter.split('=')[0]);
    for (const seed of [1, 2, 1]) expect(await echo(prose(5_000, seed))).toBe(prose(5_000, seed));
  });

  it('compresses the replies of many requests at once', async () => {
    const { socket } = await deflatingClient(gateway.at('/rpc'));
    const params = (id: number): string[] => [prose(10 + id * 40, id)];
    const replies = new Map<number, unknown>();
    socket.on('message', (data: Buffer) => {
      const { id, result } = JSON.parse(data.toString()) as { id: number; result: unknown };
      replies.set(id, result);
    });
    for (let id = 0; id < 100; id++) {
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'echo', params: params(id) }));
    }
    await eventually(() => expect(replies.size).toBe(100));
    for (const [id, result] of replies) expect(result).toEqual(params(id));
  });

  it('stays plain for a client that does not offer it', async () => {
    const client = await connectClient(gateway.url);
    expect(client.socket.extensions).toBe('');
    client.send('plain'.repeat(1_000));
    expect(await client.nextText()).toBe('plain'.repeat(1_000));
  });

  it('gives way to a codec, which compresses already', async () => {
    const { socket } = await deflatingClient(gateway.at('/ws?codec=gzip'));
    expect(socket.extensions).toBe('');
  });

  it('closes with 1009 when a message unpacks to somewhat more than is allowed', async () => {
    const { client } = await RawClient.upgrade(gateway.port, {
      headers: { 'Sec-WebSocket-Extensions': TAKEOVER },
    });
    client.send(clientFrame(deflated(Buffer.alloc(CAP_BYTES + 1)), { rsv: RSV1 }));
    expect(await client.closed).toBe(1009);
  });

  it('refuses bombs in less memory than two of the largest messages', async () => {
    const honest = await deflatingClient(gateway.url);
    expect(await honest.echo('before')).toBe('before');
    const bomb = clientFrame(deflated(Buffer.alloc(10 * CAP_BYTES)), { rsv: RSV1 });
    expect(bomb.length).toBeLessThan(CAP_BYTES / 50);
    const beforeBytes = residentBytes(gateway.pid);
    const attack = async (): Promise<number> => {
      const { client } = await RawClient.upgrade(gateway.port, {
        headers: { 'Sec-WebSocket-Extensions': TAKEOVER },
      });
      client.send(bomb);
      return client.closed;
    };
    const codes = await Promise.all(Array.from({ length: 10 }, attack));
    expect(codes).toEqual(Array.from({ length: 10 }, () => 1006));
    expect(residentBytes(gateway.pid) - beforeBytes).toBeLessThan(2 * CAP_BYTES);
    expect(await honest.echo(prose(5_000))).toBe(prose(5_000));
  });

  it('cuts off who sends garbage, and harms nobody else', async () => {
    const honest = await deflatingClient(gateway.url);
    const random = seededRandom(11);
    for (let i = 0; i < 100; i++) {
      const { client } = await RawClient.upgrade(gateway.port, {
        headers: { 'Sec-WebSocket-Extensions': TAKEOVER },
      });
      const garbage = Buffer.from(Uint8Array.from({ length: 1 + random() * 300 }, () => random() * 256));
      client.send(clientFrame(garbage, { rsv: RSV1, opcode: 2 }));
      // Some of it is a message, by chance: then there is an answer.
      await Promise.race([client.closed, client.nextFrame().catch(() => undefined)]);
      client.destroy();
    }
    expect(await honest.echo(prose(5_000))).toBe(prose(5_000));
    expect(gateway.hasExited()).toBe(false);
  });
});

it('wscat gets its messages back', async () => {
  const gateway = await startGateway({
    config: { listen: { permessageDeflate: 'shared' }, codec: { minBytes: 0 } },
  });
  const wscat = join(CHECKOUT, 'node_modules/.bin/wscat');
  for (const message of ['hello', prose(4_000)]) {
    const args = [wscat, '-c', gateway.url, '-x', message, '-w', '1'];
    const child = startChild(process.execPath, args, { openStdin: true });
    expect(await child.exited, child.output()).toBe(0);
    expect(child.output()).toContain(message);
  }
});

it('off refuses compressed frames that nobody agreed on', async () => {
  const gateway = await startGateway();
  const { client, answer } = await RawClient.upgrade(gateway.port, {
    headers: { 'Sec-WebSocket-Extensions': TAKEOVER },
  });
  expect(answer.headers['sec-websocket-extensions']).toBeUndefined();
  client.send(clientFrame(deflated('hello'), { rsv: RSV1 }));
  expect(await client.closed).toBe(1006);
});
