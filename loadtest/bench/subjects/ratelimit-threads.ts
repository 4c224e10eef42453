import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { Limiter } from '../../../ratelimit/limiter.ts';
import { ThreadLimiter } from '../../../ratelimit/shared/thread-limiter.ts';
import { createThreadMemory, type ThreadMemory } from '../../../ratelimit/shared/thread-memory.ts';
import { TokenBucket } from '../../../ratelimit/token-bucket.ts';
import type { Bench } from '../subject.ts';
import { aligned } from '../../result/aligned.ts';
import { grouped } from '../../result/grouped.ts';
import { median } from '../../result/median.ts';

const goalNs = 10;
const leastShare = 0.95;
const warmupMs = 100;
const sliceMs = 200;
/** Takes in one turn of the event loop, with one clock read. */
const takesPerTurn = 64;

const kinds = {
  local: 'a token bucket of each thread',
  atomic: 'Atomics.add for each',
  leased: 'leased from shared memory',
} as const;
type Kind = keyof typeof kinds;
/** One that is never reached, and two that are. */
const rates = [1e9, 1e7, 1e5];
const threadCounts = [1, 2];

/** What a thread is to do. */
interface Order {
  readonly kind: Kind;
  readonly ratePerSecond: number;
  readonly memory: ThreadMemory;
  /** A counter of what is taken, and one that starts all threads at once. */
  readonly shared: Int32Array<SharedArrayBuffer>;
}

interface Run {
  /** Of the thread's processor time, so that others who use the machine do not count. */
  readonly ns: number;
  readonly admitted: number;
  readonly startedNs: bigint;
  readonly endedNs: bigint;
}

/** What a take costs each of so many threads that hammer one limit; medians of rounds in turns. */
export interface ThreadFigures {
  readonly kind: Kind;
  readonly ratePerSecond: number;
  readonly threads: number;
  readonly ns: number;
  /** Of the round with the most. */
  readonly mostOfLimit: number;
  /** Of the round with the least. */
  readonly leastOfLimit: number;
}

/** Has one thread and two hammer a limit that they share, prints what a take costs and how much was admitted, and returns it. */
export async function measureThreads({ options, print, progress }: Bench): Promise<ThreadFigures[]> {
  const cases = rates.flatMap((ratePerSecond) =>
    threadCounts.flatMap((threads) =>
      (Object.keys(kinds) as Kind[]).map((kind) => ({ kind, ratePerSecond, threads, runs: [] as Run[][] })),
    ),
  );
  const rounds = 2 * options.pace.rounds + 1;
  for (let round = 1; round <= rounds; round++) {
    progress(`ratelimit: threads, round ${round} of ${rounds} …`);
    for (const { kind, ratePerSecond, threads, runs } of cases)
      runs.push(await hammer(kind, ratePerSecond, threads));
  }
  const figures = cases.map(({ runs, ...rest }) => {
    const shares = runs.map((round) => shareOfLimit(round, rest.ratePerSecond));
    return {
      ...rest,
      ns: median(runs.map((round) => Math.max(...round.map(({ ns }) => ns)))),
      mostOfLimit: Math.max(...shares),
      leastOfLimit: Math.min(...shares),
    };
  });
  print(
    `ratelimit: one limit of several threads, ns of its processor that a take costs each thread\n${table(figures)}\n`,
  );
  return figures;
}

async function hammer(kind: Kind, ratePerSecond: number, threads: number): Promise<Run[]> {
  const shared = new Int32Array(new SharedArrayBuffer(256));
  const order: Order = { kind, ratePerSecond, memory: memoryFor(ratePerSecond), shared };
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL(import.meta.url), { workerData: order }),
  );
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const results = workers.map((worker) => once(worker, 'message') as Promise<[Run]>);
    Atomics.store(shared, startAt, 1);
    Atomics.notify(shared, startAt);
    return (await Promise.all(results)).map(([run]) => run);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

const countAt = 0;
/** In another cache line. */
const startAt = 32;

function settingsFor(ratePerSecond: number) {
  return { ratePerSecond, burst: ratePerSecond / 10, windowMs: 1000 };
}

function memoryFor(ratePerSecond: number): ThreadMemory {
  return createThreadMemory({ strategy: 'token-bucket', settings: settingsFor(ratePerSecond), cells: 1 });
}

function limiterFor({ kind, ratePerSecond, memory, shared }: Order): Pick<Limiter, 'take'> {
  if (kind === 'leased') return new ThreadLimiter(memory, { slots: 1 });
  if (kind === 'local') return new TokenBucket(settingsFor(ratePerSecond), 1);
  // It only counts: what a limit costs at the least when all threads write to one word.
  const most = Math.min(2 ** 31 - 1, ratePerSecond);
  return { take: () => (Atomics.add(shared, countAt, 1) < most ? 0 : 1) };
}

function takeFor(durationMs: number, limiter: Pick<Limiter, 'take'>): Run {
  const startedNs = process.hrtime.bigint();
  const startedMs = performance.now();
  const before = process.threadCpuUsage();
  let [takes, admitted, nowMs] = [0, 0, startedMs];
  while (nowMs - startedMs < durationMs) {
    for (let i = 0; i < takesPerTurn; i++) if (limiter.take(0, 1, nowMs) === 0) admitted++;
    takes += takesPerTurn;
    nowMs = performance.now();
  }
  const { user, system } = process.threadCpuUsage(before);
  return {
    ns: ((user + system) * 1000) / takes,
    admitted,
    startedNs,
    endedNs: process.hrtime.bigint(),
  };
}

/** How much passed of all that the limit allowed from the first start to the last end. */
function shareOfLimit(runs: readonly Run[], ratePerSecond: number): number {
  const startedMs = Math.min(...runs.map(({ startedNs }) => Number(startedNs) / 1e6));
  const endedMs = Math.max(...runs.map(({ endedNs }) => Number(endedNs) / 1e6));
  const allowed = settingsFor(ratePerSecond).burst + (ratePerSecond * (endedMs - startedMs)) / 1000;
  return runs.reduce((sum, { admitted }) => sum + admitted, 0) / allowed;
}

function table(figures: readonly ThreadFigures[]): string {
  const head = ['limit', 'threads', '', 'ns', '÷ local', 'goal', 'of the limit'];
  const rows = figures.map(({ kind, ratePerSecond, threads, ns, mostOfLimit, leastOfLimit }) => {
    const local = figures.find(
      (other) => other.kind === 'local' && other.threads === threads && other.ratePerSecond === ratePerSecond,
    )!;
    const isLeased = kind === 'leased';
    const isReached = ratePerSecond !== rates[0];
    return [
      `${grouped(ratePerSecond)}/s`,
      String(threads),
      kinds[kind],
      ns.toFixed(1),
      (ns / local.ns).toFixed(2),
      isLeased ? `≤ ${goalNs} ${ns <= goalNs ? 'met' : 'missed'}` : '',
      isLeased && isReached ? shareText(leastOfLimit, mostOfLimit) : '',
    ];
  });
  return aligned([head, ...rows]);
}

function shareText(least: number, most: number): string {
  const verdict = least >= leastShare && most <= 1 ? 'met' : 'missed';
  return `${(least * 100).toFixed(2)} to ${(most * 100).toFixed(2)} % (goal 95 to 100: ${verdict})`;
}

function work(order: Order): void {
  takeFor(warmupMs, limiterFor({ ...order, memory: memoryFor(order.ratePerSecond) }));
  const limiter = limiterFor(order);
  Atomics.store(order.shared, countAt, 0);
  parentPort!.postMessage('ready');
  Atomics.wait(order.shared, startAt, 0);
  parentPort!.postMessage(takeFor(sliceMs, limiter));
}

if (!isMainThread) work(workerData as Order);
