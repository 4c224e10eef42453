import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseOptions, thorCommand } from '../loadtest/thor/options.ts';
import { probe } from '../loadtest/thor/probe.ts';
import { startBackend } from './support/backend.ts';
import { startBadServer } from './support/bad-server.ts';
import { selfSignedCertificate } from './support/certificate.ts';
import { freePort } from './support/free-port.ts';
import { startGateway } from './support/gateway.ts';

/** What `npm run loadtest` says of a server before it loads it. */
function said(url: string, ...args: string[]): Promise<string | undefined> {
  return probe(url, parseOptions(thorCommand(), [...args, '--timeout', '0.5', url]));
}

const answering = (answer: string) => (socket: Socket) =>
  void socket.once('data', () => socket.write(answer));

/** Accepts the handshake and then sends `after`, whatever comes. */
function accepting(after: Buffer | string, end = false) {
  return (socket: Socket): void => {
    socket.once('data', (request: Buffer) => {
      const key = /sec-websocket-key: (\S+)/i.exec(request.toString())![1]!;
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
      socket.write(`${head}Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
      socket.once('data', () => (end ? socket.destroy() : socket.write(after)));
    });
  };
}

describe('a server that cannot be loaded', () => {
  it('is down', async () => {
    const url = `ws://127.0.0.1:${await freePort()}/ws`;
    expect(await said(url)).toContain(`${url}: connection refused`);
    expect(await said(url)).toContain('is the server running');
  });

  it.each([
    ['HTTP/1.1 404 Not Found\r\n\r\n', 'handshake refused: HTTP 404', 'no WebSocket at that path'],
    ['HTTP/1.1 503 Service Unavailable\r\n\r\n', 'handshake refused: HTTP 503', 'it is full'],
    ['HTTP/1.1 426 Upgrade Required\r\n\r\n', 'handshake refused: HTTP 426', '--protocol 13'],
    [
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
      'handshake refused: HTTP 200',
      'a web server answers there',
    ],
    ['220 mail.example ESMTP\r\n', 'garbage in the handshake', 'does not speak WebSocket'],
    [
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n',
      'garbage in the handshake',
      'does not speak WebSocket',
    ],
  ])('answers the handshake with %j', async (answer, what, advice) => {
    const url = await startBadServer(answering(answer));
    const text = await said(url);
    expect(text).toContain(`${url}: ${what}`);
    expect(text).toContain(advice);
  });

  it('resets, or says nothing', async () => {
    expect(await said(await startBadServer((socket) => socket.resetAndDestroy()))).toContain(
      'connection reset',
    );
    const silent = await said(await startBadServer(() => undefined));
    expect(silent).toContain('handshake timed out');
    expect(silent).toContain('after 0.5 s');
  });

  it.each([
    ['garbage for a frame', Buffer.from([0xff, 0xff, 0xff, 0xff]), 'garbage from the server'],
    ['another text', Buffer.from([0x81, 2, 0x68, 0x69]), 'wrong reply'],
    ['nothing', Buffer.alloc(0), 'reply timed out'],
    ['a goodbye', Buffer.from([0x88, 2, 0x03, 0xf5]), 'closed by the server: 1013'],
  ])('answers a message with %s', async (_, frame, what) => {
    expect(await said(await startBadServer(accepting(frame)))).toContain(what);
  });

  it('cuts the connection instead of an answer', async () => {
    expect(await said(await startBadServer(accepting('', true)))).toContain('connection cut off');
  });

  it('does not speak the codec, or no TLS, or has a certificate of its own', async () => {
    const echo = await startBackend({
      onConnection: (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })),
    });
    expect(await said(`${echo.url}/`)).toBeUndefined();
    expect(await said(`${echo.url}/`, '--codec', 'zstd')).toContain('codec not agreed on');
    const tls = await startBackend({
      certificate: selfSignedCertificate(),
      onConnection: (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })),
    });
    expect(await said(`${tls.url}/`)).toContain('--insecure');
    expect(await said(`${tls.url}/`, '--insecure')).toBeUndefined();
    expect(await said(echo.url.replace('ws:', 'wss:'))).toContain('TLS failed');
  });
});

it('finds nothing wrong with a gateway, in text or binary, with any codec', async () => {
  const gateway = await startGateway();
  expect(await said(gateway.url)).toBeUndefined();
  expect(await said(gateway.url, '--protocol', '8')).toContain('HTTP 426');
  for (const codec of ['zstd', 'brotli', 'gzip']) {
    expect(await said(gateway.url, '--codec', codec, '--buffer', '4000')).toBeUndefined();
    expect(await said(gateway.url, '--codec', codec, '--binary', '--buffer', '100000')).toBeUndefined();
  }
});
