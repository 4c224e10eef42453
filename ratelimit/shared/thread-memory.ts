import { randomBytes } from 'node:crypto';
import type { LimiterSettings } from '../limiter.ts';
import type { StrategyName } from '../strategies.ts';

export interface ThreadMemoryOptions {
  readonly strategy: StrategyName;
  readonly settings: LimiterSettings;
  /** How many keys have a cell of their own at once, as a rule. */
  readonly cells: number;
}

/** The state of one limit that threads share; a plain object that can be posted to a worker. */
export interface ThreadMemory {
  readonly strategy: StrategyName;
  readonly buffer: SharedArrayBuffer;
}

/** Keys look for a cell in the bucket that their hash names; its last cell is for those that find none. */
export const cellsPerBucket = 16;

/** How many settings are kept: a thread would have to be this many changes behind to read a mix of two. */
export const settingsKept = 16;

const settingsBytes = 64;
const settingsStart = 64;
const cellsStart = settingsStart + settingsKept * settingsBytes;
const bytesPerCell = 16;

/** Ticks of buckets are not much finer: the clock takes ages to come around, and years should the rate be raised a thousandfold. */
const enoughTicksPerSecond = 2 ** 26;
/** What a bucket holds in ticks, at most, so that sums of it are exact in a double. */
const maxBurstTicks = 2 ** 50;

/** With these a millisecond is a whole number of ticks: for rates like 0.1 and 1/60, for whole ones, and for any. */
const roundTicksPerUnit = [3_600_000, 1_000, 1];

/** Views of the parts of a shared memory. */
export class ThreadLayout {
  /** When its clock began, as a time of `process.hrtime.bigint()`. */
  readonly epochNs: bigint;
  readonly secret: string;
  readonly ticksPerUnit: number;
  /** Number of the settings in force, and the next number to be used. */
  readonly settingsNumbers: Int32Array<SharedArrayBuffer>;
  /** Settings by number modulo `settingsKept`: 8 values each. */
  readonly settings: Float64Array<SharedArrayBuffer>;
  /** The same bytes. */
  readonly settingsTicks: BigInt64Array<SharedArrayBuffer>;
  readonly cellCount: number;
  /** Who has the cell. */
  readonly holders: BigInt64Array<SharedArrayBuffer>;
  /** What is used of it; 0 is nothing. */
  readonly words: BigInt64Array<SharedArrayBuffer>;

  constructor({ buffer }: ThreadMemory) {
    this.epochNs = new BigInt64Array(buffer, 0, 1)[0]!;
    this.secret = Buffer.from(new Uint8Array(buffer, 8, 16)).toString('hex');
    this.ticksPerUnit = new Float64Array(buffer, 24, 1)[0]!;
    this.settingsNumbers = new Int32Array(buffer, 32, 2);
    this.settings = new Float64Array(buffer, settingsStart, (settingsKept * settingsBytes) / 8);
    this.settingsTicks = new BigInt64Array(buffer, settingsStart, (settingsKept * settingsBytes) / 8);
    this.cellCount = (buffer.byteLength - cellsStart) / bytesPerCell;
    this.holders = new BigInt64Array(buffer, cellsStart, this.cellCount);
    this.words = new BigInt64Array(buffer, cellsStart + this.cellCount * 8, this.cellCount);
  }
}

/** Makes the state of a limit that threads share; nothing of it is used. Throws when `cells` is below 1. */
export function createThreadMemory({ strategy, settings, cells }: ThreadMemoryOptions): ThreadMemory {
  if (!Number.isInteger(cells) || cells < 1) throw new Error(`bug: shared memory with ${cells} cells`);
  // Half full, one bucket in a hundred has more keys than cells.
  const buckets = Math.ceil(cells === 1 ? 1 : (2 * cells) / (cellsPerBucket - 1));
  const buffer = new SharedArrayBuffer(cellsStart + buckets * cellsPerBucket * bytesPerCell);
  const { ratePerSecond, burst, windowMs } = settings;
  new BigInt64Array(buffer)[0] = process.hrtime.bigint();
  new Uint8Array(buffer).set(randomBytes(16), 8);
  new Float64Array(buffer, 24, 1)[0] = ticksPerUnit(settings);
  new Int32Array(buffer)[9] = 1;
  new Float64Array(buffer, settingsStart).set([ratePerSecond, burst, windowMs]);
  return { strategy, buffer };
}

function ticksPerUnit({ ratePerSecond, burst }: LimiterSettings): number {
  const most = Math.max(1, Math.min(enoughTicksPerSecond / ratePerSecond, maxBurstTicks / burst));
  const round = roundTicksPerUnit.find((ticks) => ticks <= most)!;
  return round * 2 ** Math.floor(Math.log2(most / round));
}
