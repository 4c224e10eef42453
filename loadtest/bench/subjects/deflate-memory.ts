import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCorpus } from '../../corpus/read.ts';
import type { Message } from '../../corpus/read.ts';
import { startGateway } from '../../stand/servers.ts';
import type { Server } from '../../stand/servers.ts';
import type { Bench, Subject } from '../subject.ts';
import { aligned } from '../../result/aligned.ts';
import { DeflateClient } from './deflate-client.ts';

const modes = ['off', 'shared', 'dedicated-4KB', 'dedicated-32KB', 'dedicated-256KB'];
const warmUps = 200;
const settleMs = 500;

const sizes = [
  { name: '280 B', least: 200, most: 400 },
  { name: '1 KB', least: 700, most: 1_600 },
  { name: '10 KB', least: 7_000, most: 15_000 },
  { name: '100 KB', least: 70_000, most: 150_000 },
];

interface Row {
  readonly mode: string;
  /** RSS growth of the gateway for each connection. */
  readonly idleBytes: number;
  readonly usedBytes: number;
  /** Plain bytes ÷ bytes on the wire, for each of `sizes`. */
  readonly ratios: readonly number[];
}

/** What each setting of listen.permessageDeflate costs in memory for a connection, and what it makes of the corpus. */
export const deflateMemory: Subject = {
  name: 'deflate-memory',
  async run(bench) {
    const rows: Row[] = [];
    for (const mode of modes) rows.push(await measureMode(bench, mode));
    bench.keepOther({ subject: 'deflate-memory', connections: bench.options.pace.clients, rows });
    bench.print(
      `permessage-deflate: ${bench.options.pace.clients} connections, KiB for each; how much smaller messages get\n${table(rows)}\n`,
    );
  },
};

async function measureMode(bench: Bench, mode: string): Promise<Row> {
  bench.progress(`deflate-memory: ${mode} …`);
  const corpus = readCorpus('test');
  const message = ofSize(corpus, 700, 1_600)[0]!.bytes;
  const gateway = await startGateway(bench.children, {
    file: bench.options.gatewayFile,
    args: ['--config', configFile(bench, mode)],
    cpuProfileDir: undefined,
  });
  const warm = await connectMany(gateway, warmUps);
  for (const client of warm) await client.echo(message);
  const first = warm.pop()!;
  for (const client of warm) client.close();
  const beforeBytes = await settledBytes(gateway);
  const clients = await connectMany(gateway, bench.options.pace.clients);
  const idleBytes = (await settledBytes(gateway)) - beforeBytes;
  for (const client of clients) await client.echo(message);
  const usedBytes = (await settledBytes(gateway)) - beforeBytes;
  for (const client of clients) client.close();
  const ratios = [];
  for (const { least, most } of sizes) ratios.push(await ratioOf(first, ofSize(corpus, least, most)));
  first.close();
  await gateway.stop();
  const { length } = clients;
  return { mode, idleBytes: idleBytes / length, usedBytes: usedBytes / length, ratios };
}

function configFile({ dir }: Bench, mode: string): string {
  const file = `${dir}/${mode}.json`;
  const listen = { permessageDeflate: mode };
  writeFileSync(file, JSON.stringify({ listen, heartbeat: { intervalMs: 0 }, codec: { minBytes: 0 } }));
  return file;
}

async function connectMany({ port, path }: Server, count: number): Promise<DeflateClient[]> {
  const clients = [];
  while (clients.length < count) clients.push(await DeflateClient.open(port, path));
  return clients;
}

/** Sends the messages one after the other, as one conversation. */
async function ratioOf(client: DeflateClient, messages: readonly Message[]): Promise<number> {
  let [plain, wire] = [0, 0];
  for (const { bytes } of messages) {
    plain += bytes.length;
    wire += await client.echo(bytes);
  }
  return plain / wire;
}

function ofSize(corpus: readonly Message[], least: number, most: number): Message[] {
  return corpus.filter(({ bytes: { length } }) => length >= least && length < most);
}

async function settledBytes({ pids }: Server): Promise<number> {
  await sleep(settleMs);
  const status = readFileSync(`/proc/${pids()[0]!}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) * 1_024;
}

function table(rows: readonly Row[]): string {
  const kib = (bytes: number): string => (bytes / 1_024).toFixed(1);
  const head = ['', 'idle', 'after one message', ...sizes.map(({ name }) => name)];
  const cells = rows.map(({ mode, idleBytes, usedBytes, ratios }) => [
    mode,
    kib(idleBytes),
    kib(usedBytes),
    ...ratios.map((ratio) => `${ratio.toFixed(2)}×`),
  ]);
  return aligned([head, ...cells]);
}
