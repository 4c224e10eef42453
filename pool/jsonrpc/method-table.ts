import type { Priority } from '../priority.ts';
import { hashId, isEscaped } from './ids.ts';
import { methodName } from './method-name.ts';

/** What the configuration says of a method. */
export interface MethodTraits {
  /** It ties state to its connection, and is refused where connections are shared. */
  readonly stateful: boolean;
  /** It may be sent again although it was written. */
  readonly idempotent: boolean;
  /** The class it waits in; undefined for that of its client. */
  readonly priority: Priority | undefined;
}

/** Of a method that nothing is said of. */
export const plainMethod: MethodTraits = Object.freeze({
  stateful: false,
  idempotent: false,
  priority: undefined,
});

interface Entry {
  readonly name: Uint8Array;
  readonly traits: MethodTraits;
}

/** Finds what is said of a method by the bytes of its name, without making a string of them. */
export class MethodTable {
  readonly #byName: ReadonlyMap<string, MethodTraits>;
  /** Open addressing with linear probing; at most half full, so that a search ends soon. */
  readonly #slots: (Entry | undefined)[];
  readonly #mask: number;

  constructor(traits: Iterable<readonly [method: string, traits: MethodTraits]>) {
    this.#byName = new Map(traits);
    const size = 2 ** Math.ceil(Math.log2(Math.max(1, this.#byName.size) * 2));
    this.#mask = size - 1;
    this.#slots = new Array<Entry | undefined>(size).fill(undefined);
    for (const [method, found] of this.#byName) this.#insert({ name: Buffer.from(method), traits: found });
  }

  /** What is said of the method whose name stands at buf[start..end), in JSON but without its quotes; start −1 is no method. */
  find(buf: Uint8Array, start: number, end: number): MethodTraits {
    if (this.#byName.size === 0 || start < 0) return plainMethod;
    let index = hashId(buf, start, end) & this.#mask;
    for (;;) {
      const entry = this.#slots[index];
      if (entry === undefined) break;
      if (isName(entry.name, buf, start, end)) return entry.traits;
      index = (index + 1) & this.#mask;
    }
    if (!isEscaped(buf, start, end)) return plainMethod;
    return this.#byName.get(methodName(buf, start, end)) ?? plainMethod;
  }

  #insert(entry: Entry): void {
    let index = hashId(entry.name, 0, entry.name.length) & this.#mask;
    while (this.#slots[index] !== undefined) index = (index + 1) & this.#mask;
    this.#slots[index] = entry;
  }
}

/** What the configuration says of methods, by what it says. */
export interface MethodLists {
  readonly stateful?: Iterable<string>;
  readonly idempotent?: Iterable<string>;
  readonly priorities?: Iterable<readonly [method: string, priority: Priority]>;
}

/** The table for lists of names. */
export function methodTable({ stateful = [], idempotent = [], priorities = [] }: MethodLists): MethodTable {
  const traits = new Map<string, MethodTraits>();
  const add = (method: string, what: Partial<MethodTraits>): void => {
    traits.set(method, { ...(traits.get(method) ?? plainMethod), ...what });
  };
  for (const method of stateful) add(method, { stateful: true });
  for (const method of idempotent) add(method, { idempotent: true });
  for (const [method, priority] of priorities) add(method, { priority });
  return new MethodTable(traits);
}

function isName(name: Uint8Array, buf: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== buf[start + i]) return false;
  return true;
}
