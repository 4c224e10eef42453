import { sameId } from './ids.ts';
import { maxShownBytes, shownMethod } from './method-name.ts';
import type { Request } from './request.ts';

/**
 * One record a slot, its numbers first and the id behind them, so that a request with a short id stays within one cache line:
 * with thousands in flight that is what the table costs.
 */
const field = {
  wireId: 0,
  acceptedAtMs: 1,
  sentAtMs: 2,
  deadlineMs: 3,
  idHashAndLength: 4,
  next: 5,
  previous: 6,
} as const;
const fields = 7;
/** Room for the longest raw id: 128 bytes and two quotes. What it leaves free holds the method, after a byte that tells its length. */
const idBytesPerSlot = 136;
const numbersPerSlot = fields + idBytesPerSlot / 8;
const bytesPerSlot = numbersPerSlot * 8;
const lengthBits = 256;
const none = -1;

/**
 * The requests one upstream connection has been sent and not yet answered, by slot. The id on the wire is
 * `sequence × stride + slot`, the stride being slots rounded up to a power of two: it only grows while the connection lives, is never used twice, and finds its slot without a
 * look-up table. Entries of one owner are linked, newest first; the owner keeps the head.
 */
export class InFlight<Owner> {
  /** Whose request it is; undefined for a free slot, and for one whose owner left (a tombstone). */
  readonly owners: (Owner | undefined)[];
  /** The request itself where it is needed again, for its batch or to send it once more; undefined for a plain one. */
  readonly kept: (Request | undefined)[];
  /** Original ids as they stood in the client's bytes, quotes included; see idStart and idEnd. */
  readonly idBytes: Uint8Array;
  readonly #numbers: Float64Array;
  readonly #free: Int32Array;
  readonly #slots: number;
  /** A power of two, for then dividing by it is exact. */
  readonly #stride: number;
  readonly #idCeiling: number;
  #freeCount: number;
  // From 1: there are back ends that take an id of 0 for none.
  #sequence = 1;

  /** Wire ids stay below idCeiling; once reached, `exhausted` is true and the connection has to be replaced. */
  constructor(slots: number, idCeiling: number) {
    this.#slots = slots;
    this.#stride = 2 ** Math.ceil(Math.log2(slots));
    this.#idCeiling = idCeiling;
    this.owners = new Array<Owner | undefined>(slots).fill(undefined);
    this.kept = new Array<Request | undefined>(slots).fill(undefined);
    const memory = new ArrayBuffer(slots * bytesPerSlot);
    this.idBytes = new Uint8Array(memory);
    this.#numbers = new Float64Array(memory);
    for (let slot = 0; slot < slots; slot++) this.#numbers[slot * numbersPerSlot] = none;
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
    return (this.#sequence + 1) * this.#stride >= this.#idCeiling;
  }

  /** Takes a free slot and links it before the owner's head. Throws when full: ask `full` first. */
  claim(owner: Owner, head: number, request: Request, sentAtMs: number): number {
    if (this.#freeCount === 0) throw new Error('bug: claimed a slot of a full in-flight table');
    const slot = this.#free[--this.#freeCount]!;
    this.owners[slot] = owner;
    const numbers = this.#numbers;
    const at = slot * numbersPerSlot;
    const { id, idStart, idEnd } = request;
    numbers[at + field.wireId] = this.#sequence++ * this.#stride + slot;
    numbers[at + field.acceptedAtMs] = request.acceptedAtMs;
    numbers[at + field.sentAtMs] = sentAtMs;
    numbers[at + field.deadlineMs] = request.deadlineMs;
    numbers[at + field.idHashAndLength] = request.idHash * lengthBits + (idEnd - idStart);
    numbers[at + field.next] = head;
    numbers[at + field.previous] = none;
    if (head !== none) numbers[head * numbersPerSlot + field.previous] = slot;
    const bytes = this.idBytes;
    let to = this.idStart(slot);
    for (let from = idStart; from < idEnd; from++, to++) bytes[to] = id[from]!;
    this.#keepMethod(request, to, (slot + 1) * bytesPerSlot);
    return slot;
  }

  /** The slot that holds a wire id, or -1 when it is unknown, answered already, or of a connection before this one. */
  find(wireId: number): number {
    if (wireId < 0) return none;
    const slot = wireId - Math.floor(wireId / this.#stride) * this.#stride;
    return slot < this.#slots && this.wireId(slot) === wireId ? slot : none;
  }

  /** True when the owner whose list begins at head has a request with this id in flight. */
  hasId(head: number, { id, idStart, idEnd, idHash }: Request): boolean {
    return this.#slotWith(head, id, idStart, idEnd, idHash) !== none;
  }

  /** The slot of the owner's request with this id, given in its one spelling with its hash; −1 when there is none. */
  slotOf(head: number, id: Uint8Array, idHash: number): number {
    return this.#slotWith(head, id, 0, id.length, idHash);
  }

  /** The slots of the owner whose list begins at head, newest first. */
  slotsOf(head: number): number[] {
    const slots: number[] = [];
    for (let slot = head; slot !== none; slot = this.#number(slot, field.next)) slots.push(slot);
    return slots;
  }

  /** Frees a slot and returns the owner's new head. */
  release(slot: number, head: number): number {
    const numbers = this.#numbers;
    const next = this.#number(slot, field.next);
    const previous = this.#number(slot, field.previous);
    if (next !== none) numbers[next * numbersPerSlot + field.previous] = previous;
    if (previous !== none) numbers[previous * numbersPerSlot + field.next] = next;
    this.#unlink(slot);
    numbers[slot * numbersPerSlot + field.wireId] = none;
    this.#free[this.#freeCount++] = slot;
    return slot === head ? next : head;
  }

  /** Leaves all slots of an owner as tombstones: taken until the reply or the deadline. Returns how many. */
  abandon(head: number): number {
    let count = 0;
    for (let slot = head; slot !== none; count++) {
      const next = this.#number(slot, field.next);
      this.#unlink(slot);
      slot = next;
    }
    return count;
  }

  /** The taken slots, tombstones included, oldest first. */
  taken(): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#slots; slot++) if (this.wireId(slot) !== none) slots.push(slot);
    return slots.sort((a, b) => this.wireId(a) - this.wireId(b));
  }

  /** The taken slots, tombstones included, whose deadline is not after now. */
  expired(nowMs: number): number[] {
    const slots: number[] = [];
    if (this.size === 0) return slots;
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.wireId(slot) !== none && this.deadlineMs(slot) <= nowMs) slots.push(slot);
    }
    return slots;
  }

  /** When the oldest of the taken slots was sent; Infinity when none is taken. */
  oldestSentAtMs(): number {
    let oldest = Infinity;
    if (this.size === 0) return oldest;
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.wireId(slot) !== none) oldest = Math.min(oldest, this.sentAtMs(slot));
    }
    return oldest;
  }

  wireId(slot: number): number {
    return this.#number(slot, field.wireId);
  }

  idStart(slot: number): number {
    return slot * bytesPerSlot + fields * 8;
  }

  idEnd(slot: number): number {
    return this.idStart(slot) + (this.#number(slot, field.idHashAndLength) % lengthBits);
  }

  idHash(slot: number): number {
    return Math.floor(this.#number(slot, field.idHashAndLength) / lengthBits);
  }

  /** The method as logs show it; '' where the id left no room for it, or when it is one that they do not show. */
  method(slot: number): string {
    const start = this.idEnd(slot) + 1;
    const length = start > (slot + 1) * bytesPerSlot ? 0 : this.idBytes[start - 1]!;
    return length === 0 ? '' : shownMethod(this.idBytes, start, start + length);
  }

  acceptedAtMs(slot: number): number {
    return this.#number(slot, field.acceptedAtMs);
  }

  sentAtMs(slot: number): number {
    return this.#number(slot, field.sentAtMs);
  }

  deadlineMs(slot: number): number {
    return this.#number(slot, field.deadlineMs);
  }

  /** The request in that slot may take until then; never shorter than before. */
  extend(slot: number, deadlineMs: number): void {
    const at = slot * numbersPerSlot + field.deadlineMs;
    this.#numbers[at] = Math.max(this.#numbers[at]!, deadlineMs);
  }

  /** Writes it behind the id, up to the end of the slot at most. */
  #keepMethod({ bytes, methodStart, methodEnd }: Request, at: number, end: number): void {
    if (at === end) return;
    const length = methodEnd - methodStart;
    const fits = methodStart >= 0 && length <= maxShownBytes && at + length < end;
    this.idBytes[at] = fits ? length : 0;
    if (!fits) return;
    for (let from = methodStart, to = at + 1; from < methodEnd; from++, to++) this.idBytes[to] = bytes[from]!;
  }

  #slotWith(head: number, id: Uint8Array, idStart: number, idEnd: number, idHash: number): number {
    const hashAndLength = idHash * lengthBits + (idEnd - idStart);
    for (let slot = head; slot !== none; slot = this.#number(slot, field.next)) {
      if (this.#number(slot, field.idHashAndLength) !== hashAndLength) continue;
      if (sameId(this.idBytes, this.idStart(slot), this.idEnd(slot), id, idStart, idEnd)) return slot;
    }
    return none;
  }

  #number(slot: number, offset: number): number {
    return this.#numbers[slot * numbersPerSlot + offset]!;
  }

  #unlink(slot: number): void {
    this.owners[slot] = undefined;
    this.kept[slot] = undefined;
    this.#numbers[slot * numbersPerSlot + field.next] = none;
    this.#numbers[slot * numbersPerSlot + field.previous] = none;
  }
}
