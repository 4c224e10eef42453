import { join } from 'node:path';
import { Network, WebSocketProvider, getAddress, toBeHex } from 'ethers';
import { beforeAll, describe, expect, it } from 'vitest';
import { startChild } from './support/child.ts';
import { eventually } from './support/eventually.ts';
import { reset } from './support/fault.ts';
import { startFaultProxy, type FaultProxy } from './support/fault-proxy.ts';
import { CHECKOUT, startGateway, type Gateway } from './support/gateway.ts';
import { expectBalanced } from './support/ledger.ts';
import { onTearDown } from './support/tear-down.ts';

const CLIENTS = 500;
const MAX_CONNECTIONS = 4;
/** The chain id of a development node. */
const NETWORK = Network.from(31_337);

describe('an Ethereum node behind request mode', () => {
  let gateway: Gateway;
  let proxy: FaultProxy;
  let clients: WebSocketProvider[];
  /** The blocks that each client was told of. */
  let blocks: number[][];

  beforeAll(async () => {
    proxy = await startFaultProxy(await startAnvil());
    gateway = await startGateway({
      config: {
        pools: {
          main: {
            mode: 'request',
            upstreams: [proxy.url],
            minConnections: 2,
            maxConnections: MAX_CONNECTIONS,
            queue: { maxSize: 10_000 },
            reconnect: { baseDelayMs: 20 },
            subscriptions: { presets: ['ethereum'], coalesce: true },
          },
        },
      },
    });
    clients = [];
    for (let n = 0; n < CLIENTS; n += 100)
      clients.push(...(await Promise.all(Array.from({ length: 100 }, () => openProvider(gateway)))));
  });

  it('serves 500 ethers clients over at most 4 connections, each its own answers', async () => {
    const addresses = clients.map((_client, n) => getAddress(toBeHex(0xabc_0000 + n, 20)));
    await Promise.all(
      clients.map(
        (client, n) => client.send('anvil_setBalance', [addresses[n], toBeHex(n + 1)]) as Promise<unknown>,
      ),
    );
    const balances = await Promise.all(clients.map((client, n) => client.getBalance(addresses[n]!)));
    expect(balances).toEqual(clients.map((_client, n) => BigInt(n + 1)));
    const numbers = await Promise.all(clients.map((client) => client.getBlockNumber()));
    expect(new Set(numbers)).toEqual(new Set([0]));
    expect(proxy.connectionsPeak()).toBeLessThanOrEqual(MAX_CONNECTIONS);
    expect((await expectBalanced(gateway)).errored).toBe(0);
  });

  it('tells each of them of every block, over one subscription', async () => {
    blocks = clients.map(() => []);
    await Promise.all(
      clients.map((client, n) => client.on('block', (block: number) => blocks[n]!.push(block))),
    );
    await expectSubscriptions(gateway, { client: CLIENTS, upstream: 1 });
    await mine(3);
    await eventually(() => expect(blocks).toEqual(clients.map(() => [1, 2, 3])));
  });

  it('tells nobody any more who has had enough', async () => {
    await Promise.all(clients.slice(0, CLIENTS / 2).map((client) => client.off('block')));
    await expectSubscriptions(gateway, { client: CLIENTS / 2, upstream: 1 });
    await mine(1);
    await eventually(() =>
      expect(blocks.slice(CLIENTS / 2)).toEqual(blocks.slice(CLIENTS / 2).map(() => [1, 2, 3, 4])),
    );
    expect(blocks.slice(0, CLIENTS / 2)).toEqual(blocks.slice(0, CLIENTS / 2).map(() => [1, 2, 3]));
  });

  it('goes on telling the others when every connection to the node was lost', async () => {
    const lost = proxy.connections();
    proxy.impose(reset());
    proxy.lift();
    await eventually(async () =>
      expect((await gateway.metrics()).sum('wsluice_upstream_lost_total')).toBe(lost),
    );
    await expectSubscriptions(gateway, { client: CLIENTS / 2, upstream: 1 });
    await mine(1);
    await eventually(() => expect(blocks.at(-1)).toEqual([1, 2, 3, 4, 5]));
    expect(blocks.slice(CLIENTS / 2)).toEqual(blocks.slice(CLIENTS / 2).map(() => [1, 2, 3, 4, 5]));
    expect(proxy.connectionsPeak()).toBeLessThanOrEqual(MAX_CONNECTIONS);
  });

  it('ends the subscription with its last owner', async () => {
    await Promise.all(clients.slice(CLIENTS / 2).map((client) => client.destroy()));
    await expectSubscriptions(gateway, { client: 0, upstream: 0 });
  });

  async function mine(count: number): Promise<void> {
    for (let block = 0; block < count; block++) await clients[0]!.send('evm_mine', []);
  }

  it('passes on what the node refuses', async () => {
    await expect(clients[0]!.send('eth_noSuchMethod', [])).rejects.toThrow(/not found|unknown/i);
  });
});

async function expectSubscriptions(gateway: Gateway, sides: Readonly<Record<string, number>>): Promise<void> {
  await eventually(async () => {
    const page = await gateway.metrics();
    for (const [side, count] of Object.entries(sides))
      expect(page.sum('wsluice_subscriptions', { side }), side).toBe(count);
  });
}

/** Starts a development node, and gives its port. */
async function startAnvil(): Promise<number> {
  const bin = join(CHECKOUT, 'node_modules/@foundry-rs/anvil/bin.mjs');
  // The script starts the node proper: both are ended together.
  const anvil = startChild(process.execPath, [bin, '--host', '127.0.0.1', '--port', '0'], { ownGroup: true });
  return eventually(() => {
    const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(anvil.output())?.[1];
    if (port === undefined) throw new Error(`no node:\n${anvil.output()}`);
    return Number(port);
  }, 20_000);
}

async function openProvider(gateway: Gateway): Promise<WebSocketProvider> {
  const provider = new WebSocketProvider(gateway.url, NETWORK, { staticNetwork: NETWORK });
  onTearDown(() => provider.destroy());
  await provider.getNetwork();
  return provider;
}
