import { describe, expect, it } from 'vitest';
import { connectClient } from './client.ts';
import { startJsonRpcBackend } from './json-rpc-backend.ts';
import { MetricsPage } from './metrics-page.ts';
import { seededRandom, shuffle } from './random.ts';
import { OPCODE, RawClient, askUpgrade, clientFrame } from './raw-client.ts';
import { startSessionBackend } from './session-backend.ts';

describe('the raw client', () => {
  it('shakes hands, fragments, reads frames and the close code of a ws server', async () => {
    const backend = await startSessionBackend();
    const { client, answer } = await RawClient.upgrade(backend.port);
    expect(answer.status).toBe(101);
    client.send(clientFrame('one ', { fin: false }));
    client.send(clientFrame('two', { opcode: OPCODE.continuation }));
    expect(await client.nextFrame()).toEqual({
      fin: true,
      opcode: OPCODE.text,
      payload: Buffer.from('one two'),
    });
    const large = Buffer.alloc(70_000, 'x');
    client.send(clientFrame(large, { opcode: OPCODE.binary }));
    expect((await client.nextFrame()).payload.equals(large)).toBe(true);
    client.send(clientFrame('!close 4321 bye'));
    expect((await client.nextFrame()).opcode).toBe(OPCODE.close);
    client.destroy();
    expect(await client.closed).toBe(4321);
  });

  it('tells 1006 when there was no close frame, and the status of a refusal', async () => {
    const backend = await startSessionBackend();
    const { client } = await RawClient.upgrade(backend.port);
    backend.kill();
    expect(await client.closed).toBe(1006);
    const refused = await askUpgrade(backend.port, { headers: { 'Sec-WebSocket-Version': '99' } });
    expect([400, 426]).toContain(refused.status);
  });
});

describe('the backends', () => {
  it('count connections, record upgrades, stop and start again on the same port', async () => {
    const backend = await startSessionBackend({ greeting: 'hi', handleProtocols: () => 'b' });
    const clients = await Promise.all(
      [1, 2, 3].map(() => connectClient(`${backend.url}/x?y=1`, { protocols: ['a', 'b'] })),
    );
    for (const client of clients) expect(await client.nextText()).toBe('hi');
    expect([backend.connectionsNow(), backend.connectionsPeak()]).toEqual([3, 3]);
    expect(backend.upgrades[0]).toMatchObject({ path: '/x?y=1', protocol: 'b' });
    await backend.stop();
    expect((await clients[0]!.closed).code).toBe(1006);
    expect(backend.connectionsNow()).toBe(0);
    await expect(connectClient(backend.url)).rejects.toThrow(/ECONNREFUSED/);
    await backend.start();
    const again = await connectClient(backend.url, { protocols: ['b'] });
    expect(await again.nextText()).toBe('hi');
    expect(await again.close(3000, 'reason')).toEqual({ code: 3000, reason: 'reason' });
    expect(backend.closings.at(-1)).toEqual({ code: 3000, reason: 'reason' });
  });

  it('speak JSON-RPC, late, twice, unasked and out of order', async () => {
    const backend = await startJsonRpcBackend({ name: 'me', shuffleEveryMs: 5 });
    const client = await connectClient(backend.url);
    expect(await client.call({ id: 1, method: 'whoami' })).toMatchObject({ id: 1, result: 'me' });
    expect(await client.call({ id: 2, method: 'error', params: { code: 5 } })).toMatchObject({
      error: { code: 5 },
    });
    expect(await client.call({ id: 3, method: '__proto__' })).toMatchObject({ error: { code: -32601 } });
    for (let id = 0; id < 50; id++) client.send({ id, method: 'echo' });
    const order: unknown[] = [];
    for (let id = 0; id < 50; id++) order.push((await client.nextJson()).id);
    expect(order).not.toEqual([...order].sort((a, b) => Number(a) - Number(b)));
    client.send('not JSON');
    client.send({ id: 4, method: 'dup' });
    await client.next();
    await client.next();
    expect(backend.malformed).toEqual(['not JSON']);
  });
});

describe('the page of metrics', () => {
  it('sums series by labels, and tells a missing one from zero', () => {
    const page = new MetricsPage(
      '# TYPE a counter\na{x="1",y="\\"}"} 2\na{x="1",y="b"} 3\na{x="2"} 4\nb 0\nc NaN\n',
    );
    expect([page.sum('a'), page.sum('a', { x: '1' }), page.find('b'), page.find('d')]).toEqual([
      9,
      5,
      0,
      undefined,
    ]);
    expect([page.typeOf('a'), page.typeOf('b')]).toEqual(['counter', undefined]);
    expect(page.labelValues('a', 'x')).toEqual(['1', '2']);
  });
});

describe('randomness', () => {
  it('is repeated by its seed', () => {
    const order = (seed: number): number[] => shuffle([1, 2, 3, 4, 5, 6, 7, 8], seededRandom(seed));
    expect(order(1)).toEqual(order(1));
    expect(order(1)).not.toEqual(order(2));
  });
});
