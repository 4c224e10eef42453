import { setTimeout as sleep } from 'node:timers/promises';
import { MessageSource } from '../corpus/generate.ts';
import { LatencyHistogram } from '../result/latency-histogram.ts';
import { LoadClient } from './load-client.ts';
import type { ClosedLoopClient } from './load-client.ts';
import type { LoadOrder, LoadReport } from './messages.ts';
import { PackedClient, PackedMessages } from './packed-client.ts';
import { packerFor } from './packing.ts';

const connectTimeoutMs = 20_000;
const drainTimeoutMs = 5_000;
const connectsAtOnce = 100;
const packedMessages = 300;
const packedBytes = 10_000;

const order = JSON.parse(process.argv[2]!) as LoadOrder;
const readBuffer = Buffer.alloc(65_536);
const clients: ClosedLoopClient[] = [];
const packed = order.packing && new PackedMessages(packedTexts(), packerFor(order.packing));
let latency = new LatencyHistogram();
let replies = 0;
let sending = true;

process.on('disconnect', () => process.exit(1));
report({ type: 'started' });
try {
  await within(connectTimeoutMs, 'not all clients were connected', connectAll());
  report({ type: 'connected' });
  const startedMs = performance.now();
  for (const client of clients) client.send(startedMs);
  await sleep(order.warmupMs);
  await measure();
  sending = false;
  await within(drainTimeoutMs, 'messages were lost: no reply came', drained());
  report({ type: 'done' });
} catch (error) {
  fault((error as Error).message);
}

async function connectAll(): Promise<void> {
  let open = 0;
  while (clients.length < order.clients) {
    const wave = Math.min(connectsAtOnce, order.clients - clients.length);
    for (let i = 0; i < wave; i++) clients.push(newClient(() => open++));
    while (open < clients.length) await sleep(1);
  }
}

function newClient(onOpen: () => void): ClosedLoopClient {
  const options = { ...order, number: clients.length, readBuffer, onOpen, onReplies, onFault: fault };
  return packed ? new PackedClient({ ...options, messages: packed }) : new LoadClient(options);
}

function packedTexts(): Buffer[] {
  const source = new MessageSource(10);
  return Array.from({ length: packedMessages }, () => source.large(packedBytes));
}

function onReplies(count: number, waitedMs: number): boolean {
  replies += count;
  latency.record(waitedMs * 1000, count);
  return sending;
}

async function measure(): Promise<void> {
  latency = new LatencyHistogram();
  replies = 0;
  const openedMs = performance.now();
  report({ type: 'window-opened' });
  await sleep(order.windowMs);
  const figures = {
    replies,
    elapsedMs: performance.now() - openedMs,
    p50Us: latency.quantileUs(0.5),
    p99Us: latency.quantileUs(0.99),
    maxUs: latency.maxUs,
    frameBytes: packed?.heardBytes(),
  };
  report({ type: 'window-closed', figures });
}

async function drained(): Promise<void> {
  while (clients.some((client) => client.inFlight > 0)) await sleep(5);
}

async function within(timeoutMs: number, complaint: string, work: Promise<void>): Promise<void> {
  const late = sleep(timeoutMs, undefined, { ref: false }).then(() => {
    throw new Error(`${complaint} within ${timeoutMs / 1000} s`);
  });
  await Promise.race([work, late]);
}

function report(message: LoadReport): void {
  process.send!(message);
}

function fault(reason: string): void {
  for (const client of clients) client.close();
  process.send!({ type: 'fault', reason } satisfies LoadReport, () => process.exit(1));
}
