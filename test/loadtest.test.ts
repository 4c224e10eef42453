import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { parseRunResult, type RunResult } from '../loadtest/result/run-result.ts';
import { startBackend } from './support/backend.ts';
import { startChild, type Child } from './support/child.ts';
import { eventually } from './support/eventually.ts';
import { CHECKOUT, startGateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { tempDir } from './support/temp-dir.ts';

/** artillery alone needs some seconds to start, and several of them at once on two cores more than that. */
const longestMs = 120_000;

interface Loaded {
  readonly code: number | string;
  readonly output: string;
  readonly result: RunResult;
}

function startLoadtest(...args: string[]): Child {
  const command = ['--disable-warning=ExperimentalWarning', 'loadtest/thor/main.ts', ...args];
  return startChild(process.execPath, command, { cwd: CHECKOUT });
}

/** Runs `npm run loadtest` to its end. */
async function load(...args: string[]): Promise<Loaded> {
  const jsonFile = join(tempDir(), 'run.json');
  const child = startLoadtest('--json', jsonFile, ...args);
  const code = await child.exited;
  const output = child.output();
  expect(existsSync(jsonFile), output).toBe(true);
  return { code, output, result: parseRunResult(readFileSync(jsonFile, 'utf8')) };
}

function foldersLeft(pid: number): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`wsluice-loadtest-${pid}-`));
}

describe.concurrent('npm run loadtest', { timeout: longestMs }, () => {
  it('echoes through a gateway in two processes to two addresses, with a codec', async () => {
    const gateway = await startGateway();
    const report = join(tempDir(), 'run.html');
    const sizes = ['--amount', '10', '--concurrent', '4', '--messages', '5', '--buffer', '3000'];
    const { code, output, result } = await load(
      ...[
        ...sizes,
        '--workers',
        '2',
        '--codec',
        'zstd',
        '--report',
        report,
        gateway.url,
        gateway.at('/ws?a=1'),
      ],
    );
    expect(code, output).toBe(0);
    expect(result).toMatchObject({ kind: 'thor', complete: true, errors: {} });
    expect(result.totals).toMatchObject({
      connected: 20,
      disconnected: 20,
      failed: 0,
      sent: 100,
      received: 100,
    });
    expect(result.latency).toMatchObject({ count: 100 });
    expect(result.handshake).toMatchObject({ count: 20 });
    expect(output).toMatch(/50% +66% +75% +80% +90% +95% +98% +99% +99\.9% +100%/);
    expect(readFileSync(report, 'utf8')).toContain('<html');
    const metrics = await gateway.metrics();
    // And the two connections that tried the addresses out.
    expect(metrics.sum('websocket_messages_received_total')).toBe(102);
  });

  it('calls a method by JSON-RPC, with the messages of request mode', async () => {
    const backend = await startJsonRpcBackend();
    const gateway = await startGateway({ args: ['--upstream', backend.url, '--mode', 'request'] });
    const { code, output, result } = await load(
      '--amount',
      '4',
      '--messages',
      '3',
      '--json-rpc',
      gateway.url,
    );
    expect(code, output).toBe(0);
    expect(result.totals).toMatchObject({ connected: 4, received: 12, failed: 0 });
    expect(backend.malformed).toEqual([]);
    // The gateway has ids of its own, which may be longer or shorter.
    expect(backend.received.filter((text) => Math.abs(text.length - 1_024) < 20)).toHaveLength(13);
  });

  it('counts whatever goes wrong by its kind, and the bytes of the wire', async () => {
    let [number, read, written] = [-1, 0, 0];
    const faults: readonly ((socket: WebSocket) => void)[] = [
      (socket) => socket.close(1013, 'too busy'),
      (socket) => socket.terminate(),
      (socket) => socket.send('something else'),
      (socket) => {
        (socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(
          Buffer.from([0xff, 0xff]),
        );
      },
      () => undefined,
    ];
    const backend = await startBackend({
      onConnection: (socket, { socket: wire }) => {
        const fault = number++ < 0 ? undefined : faults[number % faults.length];
        let messages = 0;
        socket.on('message', (data, binary) => {
          if (++messages === 2 && fault !== undefined) fault(socket);
          else socket.send(data, { binary });
        });
        wire.once('close', () => ([read, written] = [read + wire.bytesRead, written + wire.bytesWritten]));
      },
    });
    const { code, output, result } = await load(
      ...['--amount', '10', '--messages', '3', '--timeout', '5', '--workers', '1', `${backend.url}/`],
    );
    expect(code, output).toBe(1);
    expect(result.errors, output).toEqual({
      'closed by the server: 1013': 2,
      'connection cut off without a close frame': 2,
      'wrong reply': 2,
      'garbage from the server': 2,
      'reply timed out': 2,
    });
    expect(result.totals).toMatchObject({ connected: 10, disconnected: 10, failed: 10, received: 12 });
    expect(output).toContain('2x  wrong reply');
    expect(output).toMatch(
      /the first: wrong reply: to text ".*" … \(1024 bytes\) came text "something else"/,
    );
    // What the probe said is not in the result: one message, its echo, and two handshakes' worth of bytes at most.
    expect(read - result.totals!.bytesSent).toBeGreaterThan(1_024);
    expect(read - result.totals!.bytesSent).toBeLessThan(1_024 + 600);
    expect(written - result.totals!.bytesReceived).toBeLessThan(1_024 + 600);
  });

  it('shows no table where no connection was made', async () => {
    let upgrades = 0;
    const backend = await startBackend({
      prepare: (server) => {
        server.shouldHandle = () => upgrades++ === 0;
      },
      onConnection: (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })),
    });
    const { code, output, result } = await load('--amount', '3', `${backend.url}/`);
    expect(code, output).toBe(1);
    expect(output).toContain('No connection was made');
    expect(output).toContain('3x  handshake refused: HTTP 400');
    expect(output).not.toMatch(/Percentile|Connected/);
    expect(result.latency).toBeNull();
  });

  it('tells at Ctrl-C what it has measured, and leaves nothing behind', async () => {
    const generator = join(tempDir(), 'generator.cjs');
    writeFileSync(generator, 'exports.utf8 = (size, done) => done(undefined, `made of ${size}`);\n');
    const heard = new Set<string>();
    const backend = await startBackend({
      onConnection: (socket) =>
        socket.on('message', (data: Buffer, binary) => {
          heard.add(data.toString());
          socket.send(data, { binary });
        }),
    });
    const jsonFile = join(tempDir(), 'run.json');
    const sizes = ['--amount', '3', '--messages', '1000000', '--buffer', '77'];
    const child = startLoadtest(
      ...[...sizes, '--generator', generator, '--json', jsonFile, `${backend.url}/`],
    );
    await eventually(() => expect(child.output()).toMatch(/replies [1-9]/), longestMs);
    expect(foldersLeft(child.pid)).toHaveLength(1);
    expect(await child.stop('SIGINT', longestMs)).toBe(130);
    expect(child.output()).toContain('Interrupted');
    const result = parseRunResult(readFileSync(jsonFile, 'utf8'));
    expect(result.complete).toBe(false);
    expect(result.totals!.received).toBeGreaterThan(0);
    expect([...heard]).toEqual(['made of 77']);
    expect(foldersLeft(child.pid)).toEqual([]);
    await eventually(() => expect(backend.connectionsNow()).toBe(0));
  });
});

describe('npm run loadtest, called wrongly', () => {
  it.each([
    [['http://localhost:8080/ws'], 'its WebSocket address is probably ws://localhost:8080/ws'],
    [['ws://127.0.0.1:9/'], 'connection refused'],
  ])('ends with 2 and says why: %j', async (args, why) => {
    const child = startLoadtest(...args);
    expect(await child.exited).toBe(2);
    expect(child.output()).toContain(why);
    expect(child.output()).not.toMatch(/ at .*\.ts:\d/);
  });
});
