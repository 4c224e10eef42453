/** One limit of a machine, and how many clients it allows. */
export interface Limit {
  /** Stable, for programs. */
  readonly name: string;
  /** What the kernel, or whoever sets it, calls it. */
  readonly key: string;
  /** What it is. */
  readonly what: string;
  /** As the machine has it; undefined when it cannot be read. */
  readonly value: number | readonly number[] | undefined;
  /** The same for people. */
  readonly shown: string;
  /** How many clients it allows; Infinity when it sets no bound, undefined when that is unknown. */
  readonly clients: number | undefined;
  /** What a reader may want to know of it; '' for nothing. */
  readonly note: string;
  /** Lines to run or to write, each with where it goes; empty where nothing needs to change. */
  readonly changes: readonly Change[];
}

/** A line that changes a limit. */
export interface Change {
  readonly line: string;
  readonly where: string;
}

/** Where a sysctl goes to be there after the next start of the machine, too. */
export const sysctlPlace = 'as root; to keep it, without `sysctl -w` in /etc/sysctl.d/99-wsluice.conf';

/** Kernels say "no limit" with numbers near 2^63. */
export function isEndless(value: number): boolean {
  return value > 2 ** 60;
}

/** 1234567 as 1,234,567. */
export function grouped(value: number): string {
  return !isEndless(value) ? value.toLocaleString('en-US') : 'no limit';
}

/** Bytes as KiB, MiB or GiB. */
export function sized(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1_024 ** power;
  return `${value.toFixed(value >= 100 || power === 0 ? 0 : 1)} ${units[power]}`;
}
