import type { Request } from './request.ts';

/** Longest raw id kept: 128 bytes and two quotes. */
const idStride = 136;
const none = -1;

/**
 * The requests one upstream connection has been sent and not yet answered, by slot. The id on the wire is
 * `sequence × slots + slot`: it only grows while the connection lives, is never used twice, and finds its slot without a
 * look-up table. Entries of one owner are linked, newest first; the owner keeps the head.
 */
export class InFlight<Owner> {
  /** Whose request it is; undefined for a free slot, and for one whose owner left (a tombstone). */
  readonly owners: (Owner | undefined)[];
  /** The request itself where it is needed again, for its batch or to send it once more; undefined for a plain one. */
  readonly kept: (Request | undefined)[];
  /** Original ids as they stood in the client's bytes, quotes included: slot × stride. */
  readonly idBytes: Uint8Array;
  readonly #idLengths: Uint8Array;
  readonly #idHashes: Int32Array;
  readonly #wireIds: Float64Array;
  readonly #acceptedAtMs: Float64Array;
  readonly #sentAtMs: Float64Array;
  readonly #deadlinesMs: Float64Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #free: Int32Array;
  readonly #slots: number;
  readonly #idCeiling: number;
  #freeCount: number;
  // From 1: there are back ends that take an id of 0 for none.
  #sequence = 1;

  /** Wire ids stay below idCeiling; once reached, `exhausted` is true and the connection has to be replaced. */
  constructor(slots: number, idCeiling: number) {
    this.#slots = slots;
    this.#idCeiling = idCeiling;
    this.owners = new Array<Owner | undefined>(slots).fill(undefined);
    this.kept = new Array<Request | undefined>(slots).fill(undefined);
    this.idBytes = new Uint8Array(slots * idStride);
    this.#idLengths = new Uint8Array(slots);
    this.#idHashes = new Int32Array(slots);
    this.#wireIds = new Float64Array(slots).fill(none);
    this.#acceptedAtMs = new Float64Array(slots);
    this.#sentAtMs = new Float64Array(slots);
    this.#deadlinesMs = new Float64Array(slots);
    this.#next = new Int32Array(slots).fill(none);
    this.#previous = new Int32Array(slots).fill(none);
    this.#free = new Int32Array(slots);
    for (let i = 0; i < slots; i++) this.#free[i] = slots - 1 - i;
    this.#freeCount = slots;
  }

  /** Taken slots, tombstones included. */
  get size(): number {
    return this.#slots - this.#freeCount;
  }

  get full(): boolean {
    return this.#freeCount === 0;
  }

  get exhausted(): boolean {
    return (this.#sequence + 1) * this.#slots >= this.#idCeiling;
  }

  /** Takes a free slot and links it before the owner's head. Throws when full: ask `full` first. */
  claim(owner: Owner, head: number, request: Request, sentAtMs: number): number {
    if (this.#freeCount === 0) throw new Error('bug: claimed a slot of a full in-flight table');
    const slot = this.#free[--this.#freeCount]!;
    this.owners[slot] = owner;
    this.#wireIds[slot] = this.#sequence++ * this.#slots + slot;
    const { id, idStart, idEnd } = request;
    const at = slot * idStride;
    for (let i = idStart; i < idEnd; i++) this.idBytes[at + i - idStart] = id[i]!;
    this.#idLengths[slot] = idEnd - idStart;
    this.#idHashes[slot] = request.idHash;
    this.#acceptedAtMs[slot] = request.acceptedAtMs;
    this.#deadlinesMs[slot] = request.deadlineMs;
    this.#sentAtMs[slot] = sentAtMs;
    this.#next[slot] = head;
    this.#previous[slot] = none;
    if (head !== none) this.#previous[head] = slot;
    return slot;
  }

  /** The slot that holds a wire id, or -1 when it is unknown, answered already, or of a connection before this one. */
  find(wireId: number): number {
    if (wireId < 0) return none;
    const slot = wireId % this.#slots;
    return this.#wireIds[slot] === wireId ? slot : none;
  }

  /** True when the owner whose list begins at head has a request with this id in flight. */
  hasId(head: number, request: Request): boolean {
    for (let slot = head; slot !== none; slot = this.#next[slot]!) {
      if (this.#idHashes[slot] === request.idHash && this.#holdsIdOf(slot, request)) return true;
    }
    return false;
  }

  /** Frees a slot and returns the owner's new head. */
  release(slot: number, head: number): number {
    const next = this.#next[slot]!;
    const previous = this.#previous[slot]!;
    if (next !== none) this.#previous[next] = previous;
    if (previous !== none) this.#next[previous] = next;
    this.#next[slot] = none;
    this.#previous[slot] = none;
    this.owners[slot] = undefined;
    this.kept[slot] = undefined;
    this.#wireIds[slot] = none;
    this.#free[this.#freeCount++] = slot;
    return slot === head ? next : head;
  }

  /** Leaves all slots of an owner as tombstones: taken until the reply or the deadline. Returns how many. */
  abandon(head: number): number {
    let count = 0;
    for (let slot = head; slot !== none; count++) {
      const next = this.#next[slot]!;
      this.owners[slot] = undefined;
      this.kept[slot] = undefined;
      this.#next[slot] = none;
      this.#previous[slot] = none;
      slot = next;
    }
    return count;
  }

  /** The taken slots, tombstones included, oldest first. */
  taken(): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#slots; slot++) if (this.#wireIds[slot] !== none) slots.push(slot);
    return slots.sort((a, b) => this.#wireIds[a]! - this.#wireIds[b]!);
  }

  /** The taken slots, tombstones included, whose deadline is not after now. */
  expired(nowMs: number): number[] {
    const slots: number[] = [];
    if (this.size === 0) return slots;
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#wireIds[slot] !== none && this.#deadlinesMs[slot]! <= nowMs) slots.push(slot);
    }
    return slots;
  }

  wireId(slot: number): number {
    return this.#wireIds[slot]!;
  }

  idStart(slot: number): number {
    return slot * idStride;
  }

  idEnd(slot: number): number {
    return slot * idStride + this.#idLengths[slot]!;
  }

  idHash(slot: number): number {
    return this.#idHashes[slot]!;
  }

  acceptedAtMs(slot: number): number {
    return this.#acceptedAtMs[slot]!;
  }

  sentAtMs(slot: number): number {
    return this.#sentAtMs[slot]!;
  }

  deadlineMs(slot: number): number {
    return this.#deadlinesMs[slot]!;
  }

  #holdsIdOf(slot: number, { id, idStart, idEnd }: Request): boolean {
    if (this.#idLengths[slot] !== idEnd - idStart) return false;
    const at = slot * idStride;
    for (let i = idStart; i < idEnd; i++) if (this.idBytes[at + i - idStart] !== id[i]) return false;
    return true;
  }
}
