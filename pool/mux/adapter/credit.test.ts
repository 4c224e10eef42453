import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { MUX, leb128, muxFrame, readLeb128 } from '../../../test/support/mux-frames.ts';
import { MuxGateway } from '../../../test/support/mux-gateway.ts';
import { startMuxBackend, type MuxBackend, type MuxBackendOptions } from './mux-backend.fixture.ts';

const MIB = 1_048_576;

async function start(options?: MuxBackendOptions): Promise<MuxBackend & { gateway: MuxGateway }> {
  const backend = await startMuxBackend(options);
  return { ...backend, gateway: await MuxGateway.connect(backend.url) };
}

/** What was given back on a stream, frame by frame. */
function givenBack(gateway: MuxGateway, stream: number): number[] {
  const windows = gateway.frames(stream).filter(({ type }) => type === MUX.window);
  return windows.map(({ payload }) => readLeb128(payload)[0]);
}

/** Waits until the backend has taken all that was sent. */
async function settled(gateway: MuxGateway): Promise<void> {
  const pongs = gateway.frames(0).length;
  gateway.send(muxFrame(MUX.ping, 0));
  await eventually(() => expect(gateway.frames(0).length).toBeGreaterThan(pongs));
}

describe('the credit of a client', () => {
  it('begins with the window, and is given back when half of it is used and read', async () => {
    const { gateway } = await start({ mux: { windowBytes: 4_096 } });
    const client = await gateway.accepted();
    expect(client.credit).toBe(4_096);
    gateway.send(muxFrame(MUX.text, client.id, 'x'.repeat(1_000)), muxFrame(MUX.textPart, client.id, 'y'));
    await settled(gateway);
    expect(givenBack(gateway, client.id)).toEqual([]);
    gateway.send(muxFrame(MUX.text, client.id, 'y'.repeat(1_000)));
    await eventually(() => expect(givenBack(gateway, client.id)).toEqual([2_049]));
  });

  it('is given back for the parts of a message that is longer than the window', async () => {
    const { gateway, told } = await start({ mux: { windowBytes: 1_024 } });
    const client = await gateway.accepted();
    client.send('z'.repeat(50_000));
    await eventually(() => expect(told).toEqual(['text 50000']));
  });

  it('is held back while the client is paused, whatever comes, and given back after', async () => {
    const { gateway, sockets, told } = await start({ mux: { windowBytes: 4_096 } });
    const [client, other] = [await gateway.accepted(), await gateway.accepted()];
    sockets[0]!.pause();
    client.send('a'.repeat(2_000));
    client.send('b'.repeat(10_000));
    other.send('o'.repeat(10_000));
    await eventually(() => expect(told).toEqual(['text 10000']));
    expect(givenBack(gateway, client.id)).toEqual([]);
    expect(client.credit).toBeLessThan(20);
    sockets[0]!.resume();
    await eventually(() => expect(told).toEqual(['text 10000', 'text 2000', 'text 10000']));
  });
});

describe('the credit with a client', () => {
  it('is never exceeded, however small, and a message goes in parts', async () => {
    const { gateway, sockets } = await start();
    const client = await gateway.accepted({ window: 1_024 });
    sockets[0]!.send('q'.repeat(10_000));
    sockets[0]!.send('');
    sockets[0]!.send('r');
    // The client throws at the first frame without credit.
    await eventually(() => {
      client.readAll();
      expect(client.messages).toEqual(['q'.repeat(10_000), '', 'r']);
    });
  });

  it('that runs out stops this client and no other', async () => {
    const { gateway, sockets } = await start();
    const [slow, quick] = [await gateway.accepted({ window: 65_536 }), await gateway.accepted()];
    slow.readsOn = false;
    let written = 0;
    for (let n = 0; n < 100; n++) sockets[0]!.send(Buffer.alloc(10_000), () => written++);
    for (let n = 0; n < 100; n++) sockets[1]!.send(Buffer.alloc(10_000));
    await eventually(() => expect(quick.messages.length).toBe(100));
    expect([slow.messages.length, written]).toEqual([6, 6]);
    expect(sockets[0]!.bufferedAmount).toBeGreaterThan(900_000);
    slow.readAll();
    await eventually(() => expect([slow.messages.length, written]).toEqual([100, 100]));
    expect(sockets[0]!.bufferedAmount).toBe(0);
  });

  it('of a paused client still grows', async () => {
    const { gateway, sockets } = await start();
    const client = await gateway.accepted({ window: 1_024 });
    sockets[0]!.pause();
    sockets[0]!.send('s'.repeat(3_000));
    await settled(gateway);
    gateway.send(muxFrame(MUX.window, client.id, leb128(100_000)));
    client.backendsCredit += 100_000;
    await eventually(() => expect(client.messages).toEqual(['s'.repeat(3_000)]));
  });
});

describe('the connection to a gateway', () => {
  it('gets what all clients are told in one turn as one message', async () => {
    const { gateway, sockets } = await start();
    const clients = await Promise.all(Array.from({ length: 50 }, () => gateway.accepted()));
    const before = gateway.received.length;
    for (const socket of sockets) socket.send('to all');
    for (const socket of sockets) socket.ping();
    await eventually(() => expect(clients.every(({ messages }) => messages[0] === 'to all')).toBe(true));
    expect(gateway.received.length).toBe(before + 1);
    expect(gateway.received.at(-1)!.length).toBe(100);
  });

  it('that is not read holds messages back, and gets all of them in the end', async () => {
    const { gateway, sockets } = await start();
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => gateway.accepted({ window: 4 * MIB })),
    );
    gateway.pause();
    let written = 0;
    for (const socket of sockets)
      for (let n = 0; n < 20; n++) socket.send(Buffer.alloc(100_000, n), () => written++);
    await sleep(100);
    expect(written).toBeLessThan(400);
    expect(sockets.reduce((sum, socket) => sum + socket.bufferedAmount, 0)).toBeGreaterThan(20 * MIB);
    gateway.resume();
    await eventually(() => expect(clients.every(({ messages }) => messages.length === 20)).toBe(true));
    expect(written).toBe(400);
    for (const { messages } of clients)
      expect(messages.map((message) => (message as Buffer)[0])).toEqual(
        Array.from({ length: 20 }, (_, n) => n),
      );
  });

  it('is cut when a gateway asks on and on and never reads', async () => {
    const { gateway, server } = await start();
    await gateway.accepted();
    gateway.pause();
    const pings = Buffer.concat(Array.from({ length: 8_000 }, () => muxFrame(MUX.ping, 0, 'p'.repeat(125))));
    for (let n = 0; n < 60; n++) gateway.send(pings);
    await eventually(() => expect(server.clients.size).toBe(0));
  });

  it('takes its clients with it when it is lost', async () => {
    const { gateway, told, server } = await start();
    await Promise.all([gateway.accepted(), gateway.accepted()]);
    gateway.terminate();
    await eventually(() => expect(told).toEqual(['close 1006', 'close 1006']));
    expect(server.clients.size).toBe(0);
  });

  it.each([
    ['port', false],
    ['noServer', true],
  ])(
    'is told to go away by close() of a server made with %s, and those that are there stay',
    async (_, noServer) => {
      const { gateway, server, sockets, told } = await (noServer ? startWithHttp() : start());
      const client = await gateway.accepted();
      const closed = new Promise((done) => server.close(done));
      await eventually(() => expect(gateway.frames(0).map(({ type }) => type)).toEqual([MUX.goAway]));
      const late = gateway.open();
      await eventually(() => expect(late.refused?.status).toBe(503));
      client.send('still here');
      await eventually(() => expect(told).toEqual(['text 10']));
      sockets[0]!.close(1001);
      await eventually(() => expect(client.closed?.code).toBe(1001));
      gateway.close();
      await closed;
    },
  );
});

async function startWithHttp(): Promise<MuxBackend & { gateway: MuxGateway }> {
  const http = createServer();
  const backend = await startMuxBackend({ http });
  http.on('upgrade', (request, socket, head) => {
    backend.server.handleUpgrade(request, socket, head, (client) =>
      backend.server.emit('connection', client, request),
    );
  });
  return { ...backend, gateway: await MuxGateway.connect(backend.url) };
}

it('hands each client to another library as an upgrade', async () => {
  const upgrades: string[] = [];
  const { gateway, server } = await start({
    mux: {
      onUpgrade: (request, socket, head) => {
        upgrades.push(`${request.url ?? ''} ${head.length}`);
        if (request.url === '/throw') socket.destroy();
        else if (request.url === '/teapot') socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\nno coffee");
        else if (request.url === '/garbage') socket.write('garbage\r\n\r\n');
        else
          socket.write(
            'HTTP/1.1 101 \r\nSec-WebSocket-Protocol:  own \r\n\r\n\x81\x02hi\x88\x02\x03\xe8',
            'latin1',
          );
      },
    },
  });
  const client = await gateway.accepted({ path: '/a' });
  await eventually(() => expect(client.closed).toEqual({ code: 1000, reason: '' }));
  expect([client.protocol, client.messages]).toEqual(['own', ['hi']]);
  const others = ['/throw', '/teapot', '/garbage'].map((path) => gateway.open({ path }));
  await eventually(() => expect(others.map(({ refused }) => refused?.status)).toEqual([503, 418, 503]));
  expect(upgrades).toEqual(['/a 0', '/throw 0', '/teapot 0', '/garbage 0']);
  expect(server.clients.size).toBe(0);
});
