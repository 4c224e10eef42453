import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files in which a kernel tells of itself, under `/` or, in tests, under a folder of made-up ones. Nothing here throws. */
export class MachineFiles {
  readonly #root: string;

  constructor(root = '/') {
    this.#root = root;
  }

  /** What a file says; undefined when it cannot be read. */
  text(path: string): string | undefined {
    try {
      return readFileSync(join(this.#root, path), 'utf8').trim();
    } catch {
      return undefined;
    }
  }

  /** The numbers of a file such as those under /proc/sys; undefined when it cannot be read, or says something else. */
  numbers(path: string): readonly number[] | undefined {
    const words = this.text(path)?.split(/\s+/);
    return words?.every((word) => /^\d+$/.test(word)) === true ? words.map(Number) : undefined;
  }

  /** The first of them. */
  number(path: string): number | undefined {
    return this.numbers(path)?.[0];
  }

  /** The number behind a name, in lines such as `MemAvailable:  123 kB` or `inactive_file 456`. */
  field(path: string, name: string): number | undefined {
    const line = this.text(path)
      ?.split('\n')
      .find((candidate) => candidate.split(/[:\s]/, 1)[0] === name);
    const digits = /^[^\s:]+:?\s+(\d+)/.exec(line ?? '')?.[1];
    return digits === undefined ? undefined : Number(digits);
  }

  /** How many entries a folder has. */
  entries(path: string): number | undefined {
    try {
      return readdirSync(join(this.#root, path)).length;
    } catch {
      return undefined;
    }
  }
}
