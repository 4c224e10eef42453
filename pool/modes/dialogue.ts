import { MethodRole } from '../jsonrpc/method-table.ts';
import { ErrorCode } from '../jsonrpc/errors.ts';
import type { Request } from '../jsonrpc/request.ts';
import type { Scan } from '../jsonrpc/scan.ts';
import { Progress } from '../subscriptions/progress.ts';
import { protocolOf, type Protocol, type SubscriptionSettings } from '../subscriptions/settings.ts';
import type { Subscriber } from '../subscriptions/subscription.ts';
import { SubscriptionKind } from '../subscriptions/subscription-kind.ts';
import { Subscriptions } from '../subscriptions/subscriptions.ts';
import type { UpstreamSideOptions } from '../subscriptions/upstream-side.ts';
import { Asks, type Respondent } from './asks.ts';
import { Cancelling, type Canceller } from './cancelling.ts';
import type { Channel } from './channel.ts';
import { Coalescing } from './coalescing.ts';
import { shareKeyOf } from './share-key.ts';
import { Unasked } from './unasked.ts';

export interface DialogueSettings {
  readonly subscriptions: SubscriptionSettings | undefined;
  readonly coalesceMethods: readonly string[];
  readonly maxCoalesced: number;
}

export interface DialogueOptions extends Omit<
  UpstreamSideOptions,
  'handlers' | 'restores' | 'restoreTimeoutMs' | 'maxEarlyBytes'
> {
  readonly settings: DialogueSettings;
  readonly onUnowned: (count: number) => void;
}

/** The methods that a dialogue has to see, for the table of methods. */
export function dialogueRoles({
  subscriptions,
  coalesceMethods,
}: DialogueSettings): (readonly [method: string, role: MethodRole, roleIndex: number])[] {
  const protocol = subscriptions && protocolOf(subscriptions);
  return [
    ...coalesceMethods.map((method) => [method, MethodRole.Coalesced, 0] as const),
    ...(protocol === undefined ? [] : rolesOf(protocol)),
  ];
}

function rolesOf({ subscriptions, cancel, ignored }: Protocol): [string, MethodRole, number][] {
  return [
    ...ignored.map((method): [string, MethodRole, number] => [method, MethodRole.Ignored, 0]),
    ...subscriptions.flatMap(({ subscribe, unsubscribe }, index): [string, MethodRole, number][] => [
      [subscribe, MethodRole.Subscribe, index],
      [unsubscribe, MethodRole.Unsubscribe, index],
    ]),
    ...cancel.map(({ method }, index): [string, MethodRole, number] => [method, MethodRole.Cancel, index]),
  ];
}

const wrongForm = 'This method is a notification: send it without an id.';

const doubtfulToken =
  'It cannot be told for sure which progress token this request has: spell each key plainly, and once.';

/** A client that takes part; see request-lease.ts. */
export type Participant = Subscriber & Canceller & Respondent;

/** What goes on between clients and upstreams beyond a request and its reply: shared answers, subscriptions, progress, questions. */
export class Dialogue {
  readonly coalescing: Coalescing;
  readonly subscriptions: Subscriptions | undefined;
  /** Every request has to be looked at, whatever its method. */
  readonly seesAll: boolean;
  readonly #asks = new Asks();
  readonly #kinds: readonly SubscriptionKind[];
  readonly #coalesces: boolean;
  readonly #progress: Progress;
  readonly #cancelling: Cancelling;
  readonly #unasked: Unasked | undefined;

  constructor({ settings, ...upstream }: DialogueOptions) {
    const { subscriptions, maxCoalesced } = settings;
    const protocol = subscriptions && protocolOf(subscriptions);
    this.#kinds = (protocol?.subscriptions ?? []).map((methods) => new SubscriptionKind(methods));
    this.#coalesces = subscriptions?.coalesce === true;
    this.#progress = new Progress(protocol?.progress ?? []);
    this.seesAll = !this.#progress.isEmpty;
    this.#cancelling = new Cancelling(protocol?.cancel ?? []);
    this.coalescing = new Coalescing(maxCoalesced, (channel, slot) => this.#cancelling.give(channel, slot));
    if (subscriptions === undefined || protocol === undefined) return;
    this.subscriptions = new Subscriptions({
      ...upstream,
      limits: subscriptions,
      restores: subscriptions.whenLost === 'restore',
      restoreTimeoutMs: subscriptions.restoreTimeoutMs,
    });
    this.#unasked = new Unasked({
      ...upstream,
      protocol,
      kinds: this.#kinds,
      subscriptions: this.subscriptions,
      asks: this.#asks,
    });
  }

  /** Requests of upstreams that clients have not answered. */
  get asked(): number {
    return this.#asks.size;
  }

  /** Looks at a request or notification before it is sent; true when it is dealt with. */
  accept(lease: Participant, request: Request, scan: Scan): boolean {
    if (this.seesAll && !this.#takeTokens(request, scan)) {
      lease.failRequest(request, ErrorCode.InvalidRequest, doubtfulToken);
      return true;
    }
    const { role, roleIndex } = request.traits;
    if (role === MethodRole.Plain) return false;
    if (role === MethodRole.Coalesced) return this.#acceptCoalesced(lease, request, scan);
    if (role === MethodRole.Unsubscribe) {
      const kind = this.#kinds[roleIndex]!;
      this.subscriptions!.unsubscribe(kind, lease, request, scan.paramsStart, scan.paramsEnd);
      return true;
    }
    if (role === MethodRole.Subscribe && !request.isNotification) {
      request.shareKey = this.#coalesces ? shareKeyOf(request, scan) : '';
      return this.subscriptions!.accept(lease, request);
    }
    if (role === MethodRole.Cancel && request.isNotification)
      this.#cancelling.pass(lease, request, roleIndex, scan.paramsStart, scan.paramsEnd);
    // The others go no further. Of a subscription begun without an id nobody would ever learn its name.
    lease.failRequest(request, ErrorCode.InvalidRequest, wrongForm);
    return true;
  }

  /** Sends a request that `accept` marked as one to be shared. */
  submit(channel: Channel, lease: Participant, request: Request, nowMs: number): void {
    const { role, roleIndex } = request.traits;
    if (role === MethodRole.Coalesced) this.coalescing.submit(channel, lease, request, nowMs);
    else this.subscriptions!.submit(this.#kinds[roleIndex]!, channel, lease, request, nowMs);
  }

  /** A client's response; false when it was not asked. */
  respond(lease: Participant, bytes: Uint8Array, start: number, end: number, scan: Scan): boolean {
    return this.#asks.respond(lease, bytes, start, end, scan);
  }

  /** A message of an upstream that is no reply; false when it is nobody's. */
  onUnasked(channel: Channel, scan: Scan, buf: Uint8Array, start: number, end: number): boolean {
    return this.#unasked?.take(channel, scan, buf, start, end) === true;
  }

  /** A reply to nothing that is in flight; true when it was awaited here. */
  onLateReply(channel: Channel, wireId: number, buf: Uint8Array, start: number, end: number): boolean {
    return this.subscriptions?.onLateReply(channel, wireId, buf, start, end) === true;
  }

  /** The client is leaving; what it has in flight is still in the table. */
  leave(lease: Participant): void {
    this.#cancelling.leave(lease);
    this.#asks.leave(lease);
    this.subscriptions?.leave(lease);
  }

  onRoom(channel: Channel): void {
    this.subscriptions?.onRoom(channel);
  }

  onChannelGone(channel: Channel): void {
    this.#asks.onChannelGone(channel);
    this.subscriptions?.onChannelGone(channel);
  }

  sweep(nowMs: number): void {
    this.coalescing.sweep(nowMs);
    this.subscriptions?.sweep(nowMs);
    this.#asks.sweep(nowMs);
  }

  /** Notes the progress tokens of a request; false when they are in doubt, or where there is no request to report on. */
  #takeTokens(request: Request, { paramsStart, paramsEnd }: Scan): boolean {
    if (paramsStart < 0) return true;
    const tokens = this.#progress.tokensIn(request.bytes, request.start, paramsStart, paramsEnd);
    if (tokens === undefined) return true;
    if (tokens === 'doubtful' || request.isNotification) return false;
    request.tokens = tokens;
    return true;
  }

  #acceptCoalesced(lease: Subscriber, request: Request, scan: Scan): boolean {
    // One that wants to be reported on wants a call of its own.
    if (request.isNotification || request.tokens !== undefined) return false;
    const key = shareKeyOf(request, scan);
    if (key === '') return false;
    request.shareKey = key;
    return this.coalescing.join(lease, request);
  }
}
