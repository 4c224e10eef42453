import type { RunResult } from '../../result/run-result.ts';
import { bytesText, countText } from '../../../server/admin/page/format.ts';
import { loadedSeconds, roleOf } from '../process-use.ts';
import { msText, secondsText } from '../unit-text.ts';

/** From here on a process with one thread has no time left. */
const fullCores = 0.93;
/** One that uses more has several threads, and its core is no limit. */
const severalThreads = 1.3;
/** A process is full when it was so in this share of the seconds with load. */
const often = 0.3;
/** What other programs may use. */
const quietCores = 0.1;
const longTail = 20;
const longTailMs = 1;
const growthSeconds = 60;
const growthShare = 0.1;
const growthBytes = 20e6;

type Rule = (result: RunResult) => string | undefined;

/** What follows from the figures, each a rule that can be checked; none where nothing does. */
export function suggestionsOf(result: RunResult): string[] {
  return rules.flatMap((rule) => rule(result) ?? []);
}

const rules: readonly Rule[] = [
  othersBusy,
  loaderFull,
  gatewayFull,
  backendFull,
  machineFull,
  tailLong,
  memoryGrew,
  openFilesUsedUp,
  portsUsedUp,
];

/** Of a comparison, which sees what the rest of the machine does. */
function othersBusy({ comparison }: RunResult): string | undefined {
  const busy = (comparison?.contestants ?? []).filter(({ cores }) => cores.others > quietCores);
  if (busy.length === 0) return undefined;
  const most = Math.max(...busy.map(({ cores }) => cores.others));
  return `Other programs used up to ${most.toFixed(2)} cores meanwhile: do not trust these figures. End them, or let windows be measured again (--retries 5).`;
}

function loaderFull(result: RunResult): string | undefined {
  const full = fullProcess(result, 'loader');
  if (full === undefined) return undefined;
  return `${full}: the figures may be its own, not the server's. Spread the load over more loader processes, or ask for less.`;
}

function gatewayFull(result: RunResult): string | undefined {
  const full = fullProcess(result, 'gateway');
  if (full === undefined) return undefined;
  return `${full}: one process can do no more. Add one on the same port (they share it by SO_REUSEPORT), if the machine has a core left.`;
}

function backendFull(result: RunResult): string | undefined {
  const full = fullProcess(result, 'backend');
  return full === undefined ? undefined : `${full}: it is the backend that limits this run, not the gateway.`;
}

/** `gateway 2 used its whole core in 24 of 30 seconds`, of the process that did so most. */
function fullProcess(result: RunResult, role: string): string | undefined {
  const seconds = loadedSeconds(result);
  const names = new Set(seconds.flatMap(({ processes }) => Object.keys(processes)));
  let [most, who] = [0, ''];
  for (const name of names) {
    if (roleOf(name) !== role) continue;
    const cores = seconds.flatMap(({ processes }) => processes[name]?.cores ?? []);
    if (cores.some((used) => used >= severalThreads)) continue;
    const full = cores.filter((used) => used >= fullCores).length;
    if (full > most) [most, who] = [full, name];
  }
  if (most === 0 || most < often * seconds.length) return undefined;
  return `${who[0]!.toUpperCase()}${who.slice(1)} used its whole core in ${countText(most)} of ${countText(seconds.length)} seconds`;
}

function machineFull(result: RunResult): string | undefined {
  const { cores } = result.environment;
  const seconds = loadedSeconds(result);
  const full = seconds.filter(
    ({ processes }) => Object.values(processes).reduce((sum, use) => sum + use.cores, 0) >= fullCores * cores,
  ).length;
  if (full === 0 || full < often * seconds.length) return undefined;
  const when = `in ${countText(full)} of ${countText(seconds.length)} seconds`;
  return `All ${cores} cores of the machine were used ${when}: the loader, the server and the backend waited for one another. Response times include that.`;
}

function tailLong({ latency }: RunResult): string | undefined {
  const { '50': p50, '99': p99 } = latency?.percentilesMs ?? {};
  if (p50 === undefined || p99 === undefined || p50 === 0) return undefined;
  const times = p99 / p50;
  if (times < longTail || p99 < longTailMs) return undefined;
  return `One reply in a hundred took ${countText(times)} times as long as the median (${msText(p99)} against ${msText(p50)}). The chart over time tells why: a few high seconds are pauses, high ones all along are a queue.`;
}

/** The second fifth of a run against its last: what is allocated at first is no growth. */
function memoryGrew({ timeline }: RunResult): string | undefined {
  const first = timeline[0];
  const last = timeline.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < growthSeconds) return undefined;
  const fifth = Math.floor(timeline.length / 5);
  const mean = (from: number): number => {
    const seconds = timeline.slice(from, from + fifth);
    const bytes = seconds.map(({ processes }) =>
      Object.entries(processes)
        .filter(([name]) => roleOf(name) === 'gateway')
        .reduce((sum, [, { residentBytes }]) => sum + residentBytes, 0),
    );
    return bytes.reduce((sum, value) => sum + value, 0) / fifth;
  };
  const [before, after] = [mean(fifth), mean(timeline.length - fifth)];
  const growth = after - before;
  const sameOpen = timeline[fifth]!.open === last.open;
  if (!sameOpen || growth < growthBytes || growth < growthShare * before) return undefined;
  return `The gateway's memory grew by ${bytesText(growth)} (from ${bytesText(before)}) in ${secondsText(last.at)} with as many connections. A longer run shows whether it goes on.`;
}

function openFilesUsedUp({ errors, environment }: RunResult): string | undefined {
  if (!Object.keys(errors).some((kind) => /\bEMFILE\b|too many open files/i.test(kind))) return undefined;
  return `Open files ran out (${countText(environment.openFiles)} a process): raise the limit with \`ulimit -n\`. \`wsluice doctor\` says what a machine can hold.`;
}

function portsUsedUp({ errors }: RunResult): string | undefined {
  if (!Object.keys(errors).some((kind) => /\bEADDRNOTAVAIL\b/.test(kind))) return undefined;
  return 'The loader ran out of ports: an address has about 28,000 for one target. Load from more addresses or fewer connections.';
}
