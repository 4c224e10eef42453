import type { ClientKeys, Decision } from './limit-config.ts';
import type { Limit, Severity, Undecided } from './limit.ts';
import { undecided } from './limiter.ts';
import type { Plan } from './plan.ts';
import type { Prepaid, Prepayments } from './prepayments.ts';

/** What becomes of a request; a number above 0 means: refused, and how many milliseconds to wait. */
export const Verdict = {
  /** All limits allow it, and it was taken from their allowances. */
  go: 0,
  /** Nothing was taken: ask again when woken. */
  hold: -1,
  drop: -2,
  close: -3,
  /** Taken, but it should pass only after `delayMs`. */
  later: -4,
} as const;

/** As many requests are paid for at once where several come in one turn, or as many as came in the turn before, up to a limit. */
const usualBlock = 16;
const largestBlock = 32;

/** What an allowance needs of the limits it is under. */
export interface AllowanceHost {
  /** Changes with the limits. */
  readonly version: number;
  planFor(route: string): Plan;
  /** No limits at all. */
  readonly noPlan: Plan;
  readonly prepayments: Prepayments;
}

/** A request as the limits see it; `start` is −1 when it has no method. */
export interface MethodBytes {
  readonly buf: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A request without a method. */
export const noMethod: MethodBytes = { buf: new Uint8Array(0), start: -1, end: -1 };

/** What one client may still send, under all limits that apply to it. */
export class Allowance implements Prepaid {
  /** How long the request should wait that `take` last said `later` to. */
  delayMs = 0;
  readonly #host: AllowanceHost;
  readonly #client: ClientKeys;
  readonly #owner: Undecided;
  #plan: Plan;
  #slots: number[];
  #version: number;
  #released = false;
  /** When the last request came, how many more of that turn are paid for, and how many of it that makes. */
  #lastTakeMs = -1;
  #prepaid = 0;
  #paidInTurn = 0;

  /** The owner is told when it is time to ask again after a `hold`. */
  constructor(host: AllowanceHost, client: ClientKeys, owner: Undecided, nowMs: number) {
    this.#host = host;
    this.#client = client;
    this.#owner = owner;
    this.#version = host.version;
    this.#plan = host.planFor(client.route);
    this.#slots = this.#plan.limits.map((limit) => limit.slots.acquire(limit.keyOf(client), nowMs));
  }

  /** False when no limit applies. */
  get isLimited(): boolean {
    return this.#plan.limits.length > 0 || this.#version !== this.#host.version;
  }

  /** False when the method of a request makes no difference. */
  get looksAtMethods(): boolean {
    return this.#plan.looksAtMethods || this.#version !== this.#host.version;
  }

  /** Asks for one request of this size; a Verdict, or the milliseconds to wait. Once released, everything may go. */
  take(bytes: number, nowMs: number, method: MethodBytes): number {
    if (this.#prepaid === 0 || nowMs !== this.#lastTakeMs) return this.#take(bytes, nowMs, method);
    this.#prepaid--;
    this.#plan.countAllowed();
    return Verdict.go;
  }

  #take(bytes: number, nowMs: number, method: MethodBytes): number {
    if (this.#version !== this.#host.version) this.#rebind(nowMs);
    this.#host.prepayments.settle(nowMs);
    const plan = this.#plan;
    const isFirst = nowMs !== this.#lastTakeMs;
    const block = isFirst ? Math.min(this.#paidInTurn, largestBlock) : usualBlock;
    if (isFirst) this.#paidInTurn = 0;
    this.#lastTakeMs = nowMs;
    if (plan.paysInBlocks && block > 1 && this.#prepay(block, nowMs)) {
      plan.countAllowed();
      return Verdict.go;
    }
    this.#paidInTurn++;
    const { limiters, countsBytes } = plan;
    const slots = this.#slots;
    for (let index = 0; index < limiters.length; index++) {
      const cost = countsBytes[index]! ? bytes : 1;
      if (limiters[index]!.take(slots[index]!, cost, nowMs) === 0) continue;
      this.#refund(index, bytes, method);
      return this.#host.prepayments.reclaim()
        ? this.#take(bytes, nowMs, method)
        : this.#judge(bytes, nowMs, method);
    }
    if (plan.others.length > 0) {
      const verdict = this.#takeOthers(bytes, nowMs, method);
      if (verdict !== Verdict.go && verdict !== Verdict.later) return verdict;
      plan.countAllowed();
      return verdict;
    }
    plan.countAllowed();
    return Verdict.go;
  }

  returnPrepaid(): void {
    const requests = this.#prepaid;
    this.#prepaid = 0;
    if (requests === 0) return;
    this.#paidInTurn -= requests;
    const { limiters } = this.#plan;
    for (let index = 0; index < limiters.length; index++)
      limiters[index]!.refund(this.#slots[index]!, requests);
  }

  /** Gives back what `take` took, with this verdict, for a request that is not going to be sent now. */
  refund(bytes: number, method: MethodBytes, verdict: number): void {
    this.#plan.countAllowed(-1);
    for (const limit of this.#plan.others) {
      if (!limit.config.dryRun && concerns(limit, method)) limit.count(decisionOf(limit, verdict), -1);
    }
    this.#refund(this.#plan.limits.length, bytes, method);
  }

  /** A ping or an unasked pong: it counts as a message of its connection. True when the connection is to be closed for it. */
  takeControlFrame(nowMs: number): boolean {
    if (this.#version !== this.#host.version) this.#rebind(nowMs);
    const { limits, forControlFrames } = this.#plan;
    if (forControlFrames.length === 0) return false;
    this.#host.prepayments.reclaim();
    const taken: number[] = [];
    for (const place of forControlFrames) {
      const limit = limits[place]!;
      const slot = this.#slots[place]!;
      if (limit.config.dryRun) continue;
      const waitMs = limit.limiter.take(slot, 1, nowMs);
      if (waitMs === 0) {
        taken.push(place);
        continue;
      }
      for (const before of taken) limits[before]!.limiter.refund(this.#slots[before]!, 1);
      limit.refuse(slot, 1, waitMs, nowMs);
      return limit.config.onExceed === 'close';
    }
    for (const place of taken) limits[place]!.count('allowed');
    for (const place of forControlFrames) if (limits[place]!.config.dryRun) this.#watch(place, 1, nowMs);
    return false;
  }

  /** Limits that only watch apply; what passes is to be shown to them. */
  get isWatched(): boolean {
    return this.#plan.watching.length > 0;
  }

  /** Shows a request that passes to the limits that only watch. */
  watch(bytes: number, nowMs: number, method: MethodBytes): void {
    for (const place of this.#plan.watching) {
      const limit = this.#plan.limits[place]!;
      if (concerns(limit, method)) this.#watch(place, limit.cost(bytes), nowMs);
    }
  }

  /** The client is gone. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.returnPrepaid();
    this.#plan.limits.forEach((limit, index) => limit.slots.release(this.#slots[index]!));
    this.#plan = this.#host.noPlan;
    this.#slots = [];
  }

  /** Pays for this request and the next ones of this turn; false, and nothing is paid, when a limit has not room for that many. */
  #prepay(block: number, nowMs: number): boolean {
    const { limiters } = this.#plan;
    const slots = this.#slots;
    for (let index = 0; index < limiters.length; index++) {
      if (limiters[index]!.take(slots[index]!, block, nowMs) === 0) continue;
      for (let taken = 0; taken < index; taken++) limiters[taken]!.refund(slots[taken]!, block);
      return false;
    }
    this.#prepaid = block - 1;
    this.#paidInTurn += block;
    this.#host.prepayments.note(this, nowMs);
    return true;
  }

  #takeOthers(bytes: number, nowMs: number, method: MethodBytes): number {
    const { others, plain } = this.#plan;
    const slots = this.#slots;
    this.delayMs = 0;
    for (let index = 0; index < others.length; index++) {
      const limit = others[index]!;
      if (limit.config.dryRun || !concerns(limit, method)) continue;
      const slot = slots[plain.length + index]!;
      const cost = limit.cost(bytes);
      const outcome = limit.delays
        ? limit.takeDelayed(slot, cost, nowMs)
        : limit.limiter.take(slot, cost, nowMs);
      if (limit.delays ? outcome < 0 : outcome !== 0) {
        this.#refund(plain.length + index, bytes, method);
        return this.#judge(bytes, nowMs, method);
      }
      if (outcome > this.delayMs) this.delayMs = outcome;
    }
    const verdict = this.delayMs > 0 ? Verdict.later : Verdict.go;
    for (const limit of others) {
      if (!limit.config.dryRun && concerns(limit, method)) limit.count(decisionOf(limit, verdict));
    }
    return verdict;
  }

  /** What is not known yet is asked once more when it is; it counts as allowed if it is not known even then. */
  #watch(place: number, cost: number, nowMs: number, isRetry = false): void {
    const limit = this.#plan.limits[place]!;
    const slot = this.#slots[place]!;
    const waitMs = limit.limiter.take(slot, cost, nowMs);
    if (waitMs === undecided && !isRetry) {
      const plan = this.#plan;
      limit.whenDecided(slot, {
        onDecided: () => plan === this.#plan && this.#watch(place, cost, nowMs, true),
      });
      return;
    }
    limit.count(waitMs > 0 ? 'dry_run' : 'allowed');
    if (waitMs > 0) limit.countRefused(slot);
  }

  /** Gives back what the first limits have taken. */
  #refund(count: number, bytes: number, method: MethodBytes): void {
    const { limits } = this.#plan;
    for (let index = 0; index < count; index++) {
      const limit = limits[index]!;
      if (limit.config.dryRun || !concerns(limit, method)) continue;
      limit.limiter.refund(this.#slots[index]!, limit.cost(bytes));
    }
  }

  /** One limit has refused, and nothing is taken: asks all of them, so that the strictest answer is given. */
  #judge(bytes: number, nowMs: number, method: MethodBytes): number {
    let waitMs = 0;
    let severity: Severity = 0;
    const open: number[] = [];
    for (const [index, limit] of this.#plan.limits.entries()) {
      if (limit.config.dryRun || !concerns(limit, method)) continue;
      const slot = this.#slots[index]!;
      const limitWaitMs = limit.waitMs(slot, limit.cost(bytes), nowMs);
      if (limitWaitMs === undecided) open.push(index);
      if (limitWaitMs <= 0) continue;
      waitMs = Math.max(waitMs, limit.refuse(slot, limit.cost(bytes), limitWaitMs, nowMs));
      if (limit.severity > severity) severity = limit.severity;
    }
    if (severity === 3) return Verdict.close;
    if (severity === 2) return Verdict.drop;
    if (severity === 1) return Math.ceil(waitMs);
    for (const index of open) this.#plan.limits[index]!.whenDecided(this.#slots[index]!, this.#owner);
    return open.length > 0 ? Verdict.hold : 1;
  }

  /** The limits have changed: those that stayed keep their slots. */
  #rebind(nowMs: number): void {
    this.#version = this.#host.version;
    if (this.#released) return;
    const before = this.#plan.limits;
    const slotsBefore = this.#slots;
    this.#plan = this.#host.planFor(this.#client.route);
    const { limits } = this.#plan;
    before.forEach((limit, index) => {
      if (!limits.includes(limit)) limit.slots.release(slotsBefore[index]!);
    });
    this.#slots = limits.map((limit) => {
      const index = before.indexOf(limit);
      return index < 0 ? limit.slots.acquire(limit.keyOf(this.#client), nowMs) : slotsBefore[index]!;
    });
  }
}

function concerns(limit: Limit, { buf, start, end }: MethodBytes): boolean {
  return limit.pattern === undefined || (start >= 0 && limit.pattern.matches(buf, start, end));
}

/** What a limit decided about a request that passed with this verdict. */
function decisionOf(limit: Limit, verdict: number): Decision {
  return limit.delays && verdict === Verdict.later ? 'delayed' : 'allowed';
}
