import { setTimeout as sleep } from 'node:timers/promises';
import { CrowdClient } from './crowd-client.ts';
import type { CrowdLoad, CrowdOrder, CrowdReport } from './crowd-messages.ts';
import { LatencyHistogram } from '../result/latency-histogram.ts';

/** Holds many clients that are mostly silent: `crowd.ts <order>`; loads are ordered over the IPC channel. */
const connectsAtOnce = 50;
const lastReplyMs = 60_000;

const order = JSON.parse(process.argv[2]!) as CrowdOrder;
const readBuffer = Buffer.alloc(65_536);
const clients: CrowdClient[] = [];
let latency = new LatencyHistogram();
let replies = 0;

process.on('disconnect', () => process.exit(1));
process.on(
  'message',
  (load: CrowdLoad) => void run(load).catch((error: unknown) => fault((error as Error).message)),
);
await connectAll();
report({ type: 'connected' });

async function connectAll(): Promise<void> {
  let open = 0;
  while (clients.length < order.clients) {
    while (clients.length - open < connectsAtOnce && clients.length < order.clients)
      clients.push(newClient(() => open++));
    await sleep(1);
  }
  while (open < clients.length) await sleep(1);
}

function newClient(onOpen: () => void): CrowdClient {
  const { localAddresses } = order;
  const localAddress = localAddresses[clients.length % localAddresses.length]!;
  const name = `${localAddress}-${clients.length}`;
  return new CrowdClient({ ...order, localAddress, name, readBuffer, onOpen, onReply, onFault: fault });
}

function onReply(dueMs: number): void {
  replies++;
  latency.record((performance.now() - dueMs) * 1_000, 1);
}

/** An open loop: messages go out when they are due, whether the ones before were answered or not; the clients take turns. */
async function run({ rate, durationMs }: CrowdLoad): Promise<void> {
  latency = new LatencyHistogram();
  replies = 0;
  const startedMs = performance.now();
  let sent = 0;
  for (let tick = 1; tick <= durationMs; tick++) {
    const dueMs = startedMs + tick;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    for (const upTo = Math.floor((tick * rate) / 1_000); sent < upTo; sent++)
      clients[sent % clients.length]!.say(dueMs);
  }
  const deadlineMs = performance.now() + lastReplyMs;
  while (replies < sent && performance.now() < deadlineMs) await sleep(5);
  if (replies < sent)
    throw new Error(`${sent - replies} messages were lost: no reply came in ${lastReplyMs / 1_000} s`);
  report({ type: 'loaded', replies, latency: latency.encoded });
}

function report(message: CrowdReport): void {
  process.send!(message);
}

function fault(reason: string): void {
  for (const client of clients) client.close();
  process.send!({ type: 'fault', reason } satisfies CrowdReport, () => process.exit(1));
}
