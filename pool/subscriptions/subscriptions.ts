import { copyBytes } from '../copy-bytes.ts';
import { ErrorCode } from '../jsonrpc/errors.ts';
import { Finding } from '../jsonrpc/locate.ts';
import type { Request } from '../jsonrpc/request.ts';
import type { Channel } from '../modes/channel.ts';
import { Followers, type FollowerTally } from '../modes/followers.ts';
import type { OwnReply } from '../modes/own-call.ts';
import type { Notice } from './early-notices.ts';
import { PublicIds } from './public-ids.ts';
import { Subscription, type Owner, type Subscriber } from './subscription.ts';
import type { SubscriptionKind } from './subscription-kind.ts';
import { isToken, ownToken } from './token-map.ts';
import { UpstreamSide, type UpstreamSideOptions } from './upstream-side.ts';

export interface SubscriptionLimits {
  readonly maxPerClient: number;
  readonly maxPerPool: number;
  readonly maxEarlyBytes: number;
}

export interface SubscriptionsOptions extends Omit<UpstreamSideOptions, 'handlers' | 'maxEarlyBytes'> {
  readonly limits: SubscriptionLimits;
  /** So many notifications turned out to be nobody's. */
  readonly onUnowned: (count: number) => void;
}

const tooManyOfClient = 'This client has too many subscriptions: end some before you begin another.';
const tooManyInAll = 'There are too many subscriptions and this one was not begun: try again later.';

/**
 * The subscriptions of a pool's clients: who owns which, under which id, and where it lives upstream. Clients know each by an id
 * that was made here, so it keeps its name when it moves to another connection, and nobody can name another's.
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #upstream: UpstreamSide;
  readonly #ids: PublicIds;
  /** What each client owns, by the id it knows. */
  readonly #byOwner = new Map<Subscriber, Map<string, Subscription>>();
  /** Those that may be shared. */
  readonly #byKey = new Map<string, Set<Subscription>>();
  /** Those whose first subscribe has no reply. */
  readonly #pending = new Set<Subscription>();
  readonly #tally: FollowerTally = { size: 0 };
  #owned = 0;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    this.#ids = new PublicIds(options.random);
    this.#upstream = new UpstreamSide({
      ...options,
      maxEarlyBytes: options.limits.maxEarlyBytes,
      handlers: {
        onPlaced: (subscription, early) => this.#onPlaced(subscription, early),
        onRefused: (subscription, reply) => this.#onRefused(subscription, reply),
        onFailed: (subscription, code) => this.#onFailed(subscription, code),
        onGivenUp: (subscription) => this.#onGivenUp(subscription),
        onUnowned: options.onUnowned,
      },
    });
  }

  /** What clients have subscribed. */
  get owned(): number {
    return this.#owned;
  }

  /** What is subscribed upstream. */
  get placed(): number {
    return this.#upstream.size;
  }

  /** Looks at a subscribe before it is sent; true when it needs not be: it is refused, or has a share in another's. */
  accept(lease: Subscriber, request: Request): boolean {
    const refusal = this.#refusal(lease);
    if (refusal === undefined) return this.#join(lease, request);
    lease.failRequest(request, ErrorCode.QueueFull, refusal);
    return true;
  }

  /** Begins a subscription over that channel, which must be available. */
  submit(kind: SubscriptionKind, channel: Channel, lease: Subscriber, request: Request, nowMs: number): void {
    if (this.accept(lease, request)) return;
    const key = request.shareKey!;
    const subscription = new Subscription(kind, request.keepOwn(), key, new Followers(this.#tally));
    subscription.followers.add(lease, request);
    this.#pending.add(subscription);
    if (key !== '') this.#shareUnder(key).add(subscription);
    this.#upstream.begin(subscription, channel, nowMs);
  }

  /** Answers an unsubscribe: true when it ended a subscription of this client's, false when it has none of that id. */
  unsubscribe(
    kind: SubscriptionKind,
    lease: Subscriber,
    request: Request,
    paramsStart: number,
    paramsEnd: number,
  ): void {
    const { bytes } = request;
    const id = kind.unsubscribeId;
    const isFound = paramsStart >= 0 && id.find(bytes, paramsStart, paramsEnd) === Finding.found;
    const isNamed = isFound && isToken(bytes, id.start, id.end);
    const publicId = isNamed ? textOf(ownToken(bytes, id.start, id.end)) : '';
    const subscription = this.#byOwner.get(lease)?.get(publicId);
    const isOwned = subscription?.kind === kind;
    if (isOwned) this.#disown(subscription, lease);
    lease.answer(request, resultReply(request, Buffer.from(isOwned ? 'true' : 'false')));
  }

  /** Hands a notification to all who own it; false when nobody does. */
  onNotice(
    kind: SubscriptionKind,
    channel: Channel,
    buf: Uint8Array,
    start: number,
    paramsStart: number,
    paramsEnd: number,
    end: number,
  ): boolean {
    const id = kind.notificationId;
    if (paramsStart < 0 || id.find(buf, paramsStart, paramsEnd) !== Finding.found) return false;
    const subscriptions = this.#upstream.find(channel, buf, id.start, id.end);
    if (subscriptions === undefined) {
      if (!isToken(buf, id.start, id.end)) return false;
      return this.#upstream.hold(channel, buf, start, id.start, id.end, end);
    }
    let isOwned = false;
    for (const subscription of subscriptions) {
      if (subscription.kind !== kind) continue;
      isOwned = true;
      this.#deliver(subscription, buf, start, id.start, id.end, end);
    }
    return isOwned;
  }

  /** The one client that owns what has this id there; undefined when there are several, or none. */
  soleOwner(channel: Channel, buf: Uint8Array, start: number, end: number): Subscriber | undefined {
    const [subscription, ...more] = this.#upstream.find(channel, buf, start, end) ?? [];
    if (subscription?.owners.size !== 1 || more.length > 0) return undefined;
    return subscription.owners.keys().next().value;
  }

  /** A reply to nothing that is in flight; true when it was awaited here. */
  onLateReply(channel: Channel, wireId: number, buf: Uint8Array, start: number, end: number): boolean {
    return this.#upstream.onLateReply(channel, wireId, buf, start, end);
  }

  /** The client left: what nobody else has ends upstream. */
  leave(lease: Subscriber): void {
    const owned = this.#byOwner.get(lease);
    if (owned !== undefined) for (const subscription of owned.values()) this.#disown(subscription, lease);
  }

  onRoom(channel: Channel): void {
    this.#upstream.onRoom(channel);
  }

  onChannelGone(channel: Channel): void {
    this.#upstream.onChannelGone(channel);
  }

  /** Nothing can be restored for now: what is to be restored has its whole time from here on. */
  holdRestores(nowMs: number): void {
    this.#upstream.holdRestores(nowMs);
  }

  sweep(nowMs: number): void {
    for (const subscription of this.#pending) {
      subscription.followers.expire(nowMs);
      if (subscription.deserted) this.#remove(subscription);
    }
    this.#upstream.sweep(nowMs);
  }

  #refusal(lease: Subscriber): string | undefined {
    const { maxPerClient, maxPerPool } = this.#options.limits;
    if ((this.#byOwner.get(lease)?.size ?? 0) >= maxPerClient) return tooManyOfClient;
    return this.#owned >= maxPerPool ? tooManyInAll : undefined;
  }

  /** A client that has the same subscription already gets another: it wants its notifications twice. */
  #join(lease: Subscriber, request: Request): boolean {
    const alike = request.shareKey === '' ? undefined : this.#byKey.get(request.shareKey!);
    if (alike === undefined) return false;
    for (const subscription of alike) {
      if (subscription.owners.has(lease) || subscription.followers.includes(lease)) continue;
      if (subscription.publicToken === undefined) {
        subscription.followers.add(lease, request);
        subscription.call?.extend(request.deadlineMs);
      } else {
        this.#own(subscription, subscription.publicToken, lease, request);
      }
      return true;
    }
    return false;
  }

  #onPlaced(subscription: Subscription, early: readonly Notice[]): void {
    if (subscription.publicToken === undefined) {
      const token = this.#ids.next(subscription.place!.token);
      subscription.publicToken = token;
      subscription.publicId = textOf(token);
      this.#pending.delete(subscription);
      for (const { lease, request } of subscription.followers.takeAll()) {
        const refusal = this.#refusal(lease);
        if (refusal === undefined) this.#own(subscription, token, lease, request);
        else lease.failRequest(request, ErrorCode.QueueFull, refusal);
      }
      if (subscription.deserted) return this.#remove(subscription);
    }
    for (const { bytes, cutStart, cutEnd } of early) {
      this.#deliver(subscription, bytes, 0, cutStart, cutEnd, bytes.length);
    }
  }

  #onRefused(subscription: Subscription, reply: OwnReply): void {
    subscription.followers.answer(reply);
    this.#remove(subscription);
  }

  #onFailed(subscription: Subscription, code: ErrorCode): void {
    subscription.followers.fail(code);
    this.#remove(subscription);
  }

  #onGivenUp(subscription: Subscription): void {
    for (const lease of [...subscription.owners.keys()]) {
      this.#disown(subscription, lease);
      lease.tellLost();
    }
  }

  #own(subscription: Subscription, token: Uint8Array, lease: Subscriber, request: Request): void {
    const owner: Owner = { lease, held: undefined, heldBytes: 0 };
    const { batch } = request;
    if (!lease.answer(request, resultReply(request, token))) return;
    if (batch?.answered === false) {
      owner.held = [];
      batch.afterAnswer(() => this.#deliverHeld(subscription, owner));
    }
    subscription.owners.set(lease, owner);
    this.#ownedBy(lease).set(subscription.publicId, subscription);
    this.#owned++;
  }

  #disown(subscription: Subscription, lease: Subscriber): void {
    subscription.owners.delete(lease);
    const owned = this.#ownedBy(lease);
    owned.delete(subscription.publicId);
    if (owned.size === 0) this.#byOwner.delete(lease);
    this.#owned--;
    if (subscription.deserted) this.#remove(subscription);
  }

  /** Nobody has it any more: it ends upstream. */
  #remove(subscription: Subscription): void {
    this.#pending.delete(subscription);
    const alike = this.#byKey.get(subscription.key);
    if (alike?.delete(subscription) === true && alike.size === 0) this.#byKey.delete(subscription.key);
    this.#upstream.end(subscription);
  }

  #deliver(
    { owners, publicToken }: Subscription,
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
  ): void {
    for (const owner of owners.values()) {
      if (owner.held === undefined)
        owner.lease.deliverNotice(buf, start, cutStart, cutEnd, end, publicToken!);
      else this.#hold(owner, buf, start, cutStart, cutEnd, end);
    }
  }

  #hold(owner: Owner, buf: Uint8Array, start: number, cutStart: number, cutEnd: number, end: number): void {
    if (owner.heldBytes + end - start > this.#options.limits.maxEarlyBytes) return this.#options.onUnowned(1);
    owner.heldBytes += end - start;
    const bytes = copyBytes(buf, start, end);
    owner.held!.push({ bytes, cutStart: cutStart - start, cutEnd: cutEnd - start });
  }

  /** The client has been told the id. */
  #deliverHeld({ owners, publicToken }: Subscription, owner: Owner): void {
    const held = owner.held ?? [];
    owner.held = undefined;
    if (owners.get(owner.lease) !== owner) return;
    for (const { bytes, cutStart, cutEnd } of held) {
      owner.lease.deliverNotice(bytes, 0, cutStart, cutEnd, bytes.length, publicToken!);
    }
  }

  #ownedBy(lease: Subscriber): Map<string, Subscription> {
    let owned = this.#byOwner.get(lease);
    if (owned === undefined) this.#byOwner.set(lease, (owned = new Map<string, Subscription>()));
    return owned;
  }

  #shareUnder(key: string): Set<Subscription> {
    let alike = this.#byKey.get(key);
    if (alike === undefined) this.#byKey.set(key, (alike = new Set()));
    return alike;
  }
}

function textOf(token: Uint8Array): string {
  return Buffer.from(token).toString();
}

function resultReply({ id, idStart, idEnd }: Request, result: Uint8Array): Uint8Array {
  return Buffer.concat([
    Buffer.from('{"jsonrpc":"2.0","id":'),
    id.subarray(idStart, idEnd),
    Buffer.from(',"result":'),
    result,
    Buffer.from('}'),
  ]);
}
