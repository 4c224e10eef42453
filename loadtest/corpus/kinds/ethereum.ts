import { itemsOf } from '../kind.ts';
import type { Kind } from '../kind.ts';
import type { World } from '../world.ts';

/** Ethereum's JSON-RPC: half of its bytes are hashes, which nothing compresses beyond two digits per byte. */
export const ethereum: Kind = {
  name: 'ethereum',
  small: (world) => world.random.pick([ask, ask, call, head, receipt, quantity])(world),
  large: (world, bytes) => world.random.pick([logs, block])(world, bytes * 0.95),
};

const reply = (world: World, result: unknown): object => ({
  ...{ jsonrpc: '2.0', id: world.random.whole(1, 90_000), result },
});

function hash(world: World): string {
  return `0x${world.random.hex(64)}`;
}

function address(world: World): string {
  return `0x${world.random.hex(40)}`;
}

/** Most calls are about a few contracts. */
function contract(world: World): string {
  return world.random.chance(0.75) ? world.random.pickSkewed(world.words.contracts) : address(world);
}

function event(world: World): string {
  return world.random.pickSkewed(world.words.events);
}

function small(world: World, most: number): string {
  return `0x${world.random.whole(1, most).toString(16)}`;
}

function height(world: World): string {
  return `0x${(19_600_000 + (Math.floor(world.nowMs() / 12_000) % 900_000)).toString(16)}`;
}

function ask(world: World): object {
  const [method, params] = world.random.pick<[string, unknown[]]>([
    ['eth_getTransactionReceipt', [hash(world)]],
    ['eth_getBalance', [address(world), 'latest']],
    ['eth_getBlockByNumber', [height(world), false]],
    ['eth_getLogs', [{ fromBlock: height(world), toBlock: height(world), address: contract(world) }]],
    ['eth_subscribe', ['logs', { address: contract(world), topics: [event(world)] }]],
  ]);
  return { jsonrpc: '2.0', id: world.random.whole(1, 90_000), method, params };
}

function call(world: World): object {
  const { random } = world;
  const transaction = { from: address(world), to: contract(world), data: input(world) };
  const method = random.pick(['eth_call', 'eth_call', 'eth_estimateGas']);
  return { jsonrpc: '2.0', id: random.whole(1, 90_000), method, params: [transaction, 'latest'] };
}

function head(world: World): object {
  const result = {
    ...{ number: height(world), hash: hash(world), parentHash: hash(world), miner: address(world) },
    ...{ gasLimit: '0x1c9c380', gasUsed: small(world, 30_000_000), timestamp: small(world, 2 ** 31) },
    ...{ baseFeePerGas: small(world, 90_000_000_000), stateRoot: hash(world) },
  };
  const params = { subscription: `0x${world.random.hex(32)}`, result };
  return { jsonrpc: '2.0', method: 'eth_subscription', params };
}

function receipt(world: World): object {
  return reply(world, {
    ...{
      transactionHash: hash(world),
      blockNumber: height(world),
      from: address(world),
      to: contract(world),
    },
    ...{ status: '0x1', type: '0x2', gasUsed: small(world, 400_000), contractAddress: null },
    ...{ effectiveGasPrice: small(world, 60_000_000_000), transactionIndex: small(world, 250) },
  });
}

function quantity(world: World): object {
  return reply(world, world.random.pick([height, hash])(world));
}

function logs(world: World, bytes: number): object {
  const [from, signature] = [contract(world), event(world)];
  const blockNumber = height(world);
  return reply(
    world,
    itemsOf(bytes, () => ({
      address: from,
      topics: [signature, hash(world)],
      data: hash(world),
      ...{ blockNumber, transactionHash: hash(world), transactionIndex: small(world, 250) },
      ...{ logIndex: small(world, 600), removed: false },
    })),
  );
}

function input(world: World): string {
  return world.random.pickSkewed(world.words.selectors) + world.random.hex(64);
}

function block(world: World, bytes: number): object {
  const blockHash = hash(world);
  const blockNumber = height(world);
  const transactions = itemsOf(bytes, () => ({
    ...{ blockHash, blockNumber, chainId: '0x1', type: '0x2', hash: hash(world) },
    ...{
      from: address(world),
      to: contract(world),
      nonce: small(world, 9_000),
      value: small(world, 2 ** 52),
    },
    ...{ gas: small(world, 400_000), maxFeePerGas: small(world, 90_000_000_000), input: input(world) },
    ...{ r: hash(world), s: hash(world), yParity: world.random.pick(['0x0', '0x1']) },
  }));
  return reply(world, { number: blockNumber, hash: blockHash, parentHash: hash(world), transactions });
}
