import type { Priority } from '../waiting/priority.ts';
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
  /** What else is to be done with its requests and notifications. */
  readonly role: MethodRole;
  /** Which of several definitions gives it that role. */
  readonly roleIndex: number;
}

/** What a method of a client is for, where it is more than a call and its reply. */
export const MethodRole = {
  Plain: 0,
  /** Its identical calls in flight share one answer. */
  Coalesced: 1,
  Subscribe: 2,
  Unsubscribe: 3,
  /** A notification that gives up a request. */
  Cancel: 4,
  /** A notification that would name what is not the client's: it goes nowhere. */
  Ignored: 5,
} as const;
export type MethodRole = (typeof MethodRole)[keyof typeof MethodRole];

/** Of a method that nothing is said of. */
export const plainMethod: MethodTraits = Object.freeze({
  stateful: false,
  idempotent: false,
  priority: undefined,
  role: MethodRole.Plain,
  roleIndex: 0,
});

interface Entry<T> {
  readonly name: Uint8Array;
  readonly traits: T;
}

/** Finds what is said of a method by the bytes of its name, without making a string of them. */
export class MethodTable<T = MethodTraits> {
  readonly #byName: ReadonlyMap<string, T>;
  readonly #otherwise: T;
  /** Open addressing with linear probing; at most half full, so that a search ends soon. */
  readonly #slots: (Entry<T> | undefined)[];
  readonly #mask: number;

  /** `otherwise` is what `find` returns for all other methods. */
  constructor(traits: Iterable<readonly [method: string, traits: T]>, otherwise: T) {
    this.#byName = new Map(traits);
    this.#otherwise = otherwise;
    const size = 2 ** Math.ceil(Math.log2(Math.max(1, this.#byName.size) * 2));
    this.#mask = size - 1;
    this.#slots = new Array<Entry<T> | undefined>(size).fill(undefined);
    for (const [method, found] of this.#byName) this.#insert({ name: Buffer.from(method), traits: found });
  }

  /** What is said of the method whose name stands at buf[start..end), in JSON but without its quotes; start −1 is no method. */
  find(buf: Uint8Array, start: number, end: number): T {
    if (this.#byName.size === 0 || start < 0) return this.#otherwise;
    let index = hashId(buf, start, end) & this.#mask;
    for (;;) {
      const entry = this.#slots[index];
      if (entry === undefined) break;
      if (isName(entry.name, buf, start, end)) return entry.traits;
      index = (index + 1) & this.#mask;
    }
    if (!isEscaped(buf, start, end)) return this.#otherwise;
    return this.#byName.get(methodName(buf, start, end)) ?? this.#otherwise;
  }

  #insert(entry: Entry<T>): void {
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
  readonly roles?: Iterable<readonly [method: string, role: MethodRole, roleIndex: number]> | undefined;
}

/** The table for lists of names. Of several roles the last one counts. */
export function methodTable({
  stateful = [],
  idempotent = [],
  priorities = [],
  roles = [],
}: MethodLists): MethodTable {
  const traits = new Map<string, MethodTraits>();
  const add = (method: string, what: Partial<MethodTraits>): void => {
    traits.set(method, { ...(traits.get(method) ?? plainMethod), ...what });
  };
  for (const method of stateful) add(method, { stateful: true });
  for (const method of idempotent) add(method, { idempotent: true });
  for (const [method, priority] of priorities) add(method, { priority });
  for (const [method, role, roleIndex] of roles) add(method, { role, roleIndex });
  return new MethodTable(traits, plainMethod);
}

function isName(name: Uint8Array, buf: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== buf[start + i]) return false;
  return true;
}
