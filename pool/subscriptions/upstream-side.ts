import { ErrorCode } from '../jsonrpc/errors.ts';
import { Finding, Locator } from '../jsonrpc/locate.ts';
import type { Request } from '../jsonrpc/request.ts';
import type { Channel } from '../modes/channel.ts';
import { OwnCall, type OwnReply } from '../modes/own-call.ts';
import { EarlyNotices, type Notice } from './early-notices.ts';
import type { Place, Subscription } from './subscription.ts';
import type { SubscriptionKind } from './subscription-kind.ts';
import { isToken, ownToken, TokenMap } from './token-map.ts';

/** What becomes of subscriptions upstream. */
export interface UpstreamSideHandlers {
  /** The subscription has a place, for the first time or again. */
  onPlaced(subscription: Subscription, early: readonly Notice[]): void;
  /** The first subscribe was answered with something that is no id: an error, mostly. */
  onRefused(subscription: Subscription, reply: OwnReply): void;
  /** The first subscribe ended in an error made here. */
  onFailed(subscription: Subscription, code: ErrorCode): void;
  /** It could not be restored in time. */
  onGivenUp(subscription: Subscription): void;
  /** Notifications turned out to be nobody's. */
  onUnowned(count: number): void;
}

export interface UpstreamSideOptions {
  /** A channel with room, or undefined. */
  readonly pick: () => Channel | undefined;
  /** There is no channel with room: one more would be of use. */
  readonly onNoChannel: () => void;
  readonly requestTimeoutMs: number;
  /** False when owners are told at once that their connection is lost. */
  readonly restores: boolean;
  readonly restoreTimeoutMs: number;
  readonly maxEarlyBytes: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly handlers: UpstreamSideHandlers;
}

/** What one connection has subscribed. */
class Subscribed {
  readonly byToken: TokenMap<Subscription>;
  readonly early: EarlyNotices;
  /** Subscribes given up that may still be answered with an id, by wire id. */
  readonly late = new Map<number, SubscriptionKind>();
  /** Unsubscribes that wait for room. */
  readonly ending: Request[] = [];

  constructor(random: () => number, maxEarlyBytes: number) {
    this.byToken = new TokenMap(random);
    this.early = new EarlyNotices(maxEarlyBytes);
  }
}

/** Restoring thousands at once must leave room for what clients ask. */
const maxRestoring = 32;
const maxLate = 1_000;
const firstRetryMs = 100;
const maxRetryMs = 5_000;

/** Keeps subscriptions in being upstream: begins, restores, moves and ends them, and knows which is meant by an id. */
export class UpstreamSide {
  readonly #options: UpstreamSideOptions;
  readonly #byChannel = new Map<Channel, Subscribed>();
  /** Those that need a place, or another one. */
  readonly #restless = new Set<Subscription>();
  readonly #result = new Locator(['result']);
  readonly #error = new Locator(['error']);
  #restoring = 0;

  constructor(options: UpstreamSideOptions) {
    this.#options = options;
  }

  /** The subscriptions that have a place. */
  get size(): number {
    let size = 0;
    for (const { byToken } of this.#byChannel.values()) size += byToken.size;
    return size;
  }

  /** Sends the first subscribe; the channel must be available. */
  begin(subscription: Subscription, channel: Channel, nowMs: number): void {
    this.#subscribe(subscription, channel, nowMs, subscription.request.deadlineMs);
  }

  /** Nobody wants it any more. */
  end(subscription: Subscription): void {
    subscription.ended = true;
    this.#restless.delete(subscription);
    this.#leavePlace(subscription);
  }

  /** The subscriptions that an upstream means by an id; undefined for none. */
  find(channel: Channel, buf: Uint8Array, start: number, end: number): readonly Subscription[] | undefined {
    return this.#byChannel.get(channel)?.byToken.find(buf, start, end);
  }

  /** Keeps a notification of an id that may become known; false when it is nobody's. */
  hold(
    channel: Channel,
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
  ): boolean {
    return this.#byChannel.get(channel)?.early.hold(buf, start, cutStart, cutEnd, end) === true;
  }

  /** A reply to nothing that is in flight: when it tells the id of a subscription that was given up, that is ended. */
  onLateReply(channel: Channel, wireId: number, buf: Uint8Array, start: number, end: number): boolean {
    const subscribed = this.#byChannel.get(channel);
    const kind = subscribed?.late.get(wireId);
    if (subscribed === undefined || kind === undefined) return false;
    subscribed.late.delete(wireId);
    const token = this.#idIn(buf, start, end);
    if (token !== undefined) this.#unsubscribe(channel, subscribed, kind, token);
    return true;
  }

  /** Unsubscribes go first: they make room upstream. */
  onRoom(channel: Channel): void {
    const subscribed = this.#byChannel.get(channel);
    if (subscribed !== undefined) this.#sendEnding(channel, subscribed);
  }

  /** The connection is gone; what it had is restored elsewhere. */
  onChannelGone(channel: Channel): void {
    const subscribed = this.#byChannel.get(channel);
    if (subscribed === undefined) return;
    this.#byChannel.delete(channel);
    channel.subscribed = 0;
    const nowMs = this.#options.now();
    for (const subscription of subscribed.byToken.values()) {
      subscription.place = undefined;
      // One that was moving has its next subscribe under way.
      if (subscription.call !== undefined) continue;
      if (this.#options.restores) this.#makeRestless(subscription, nowMs);
      else this.#giveUp(subscription);
    }
    this.#settle(nowMs);
  }

  /** Moves what is on connections that are to close, restores what is due and gives up what took too long. */
  sweep(nowMs: number): void {
    for (const [channel, { byToken }] of this.#byChannel) {
      if (!channel.draining) continue;
      for (const subscription of byToken.values()) {
        if (subscription.call === undefined && !this.#restless.has(subscription))
          this.#makeRestless(subscription, nowMs);
      }
    }
    for (const subscription of this.#restless) {
      if (subscription.deserted) this.end(subscription);
      else if (this.#isLost(subscription, nowMs)) this.#giveUp(subscription);
    }
    this.#settle(nowMs);
  }

  /** Nothing can be restored for now: what is to be restored has its whole time from here on. */
  holdRestores(nowMs: number): void {
    for (const subscription of this.#restless)
      subscription.giveUpAtMs = nowMs + this.#options.restoreTimeoutMs;
  }

  #isLost({ place, owners, giveUpAtMs }: Subscription, nowMs: number): boolean {
    return place === undefined && owners.size > 0 && giveUpAtMs <= nowMs;
  }

  #giveUp(subscription: Subscription): void {
    this.#restless.delete(subscription);
    this.#options.handlers.onGivenUp(subscription);
  }

  #makeRestless(subscription: Subscription, nowMs: number): void {
    const { attempts } = subscription;
    if (attempts === 0) subscription.giveUpAtMs = nowMs + this.#options.restoreTimeoutMs;
    subscription.dueAtMs =
      attempts === 0 ? nowMs : nowMs + Math.min(maxRetryMs, firstRetryMs * 2 ** (attempts - 1));
    subscription.attempts++;
    this.#restless.add(subscription);
  }

  /** Subscribes what needs a place, as far as there is room. */
  #settle(nowMs: number): void {
    if (this.#restless.size === 0) return;
    for (const subscription of this.#restless) {
      if (this.#restoring >= maxRestoring) return;
      if (subscription.dueAtMs > nowMs) continue;
      const channel = this.#options.pick();
      if (channel === undefined) return this.#options.onNoChannel();
      this.#restless.delete(subscription);
      const deadlineMs = nowMs + this.#options.requestTimeoutMs;
      this.#restoring++;
      this.#subscribe(subscription, channel, nowMs, deadlineMs, () => this.#restoring--);
    }
  }

  #subscribe(
    subscription: Subscription,
    channel: Channel,
    nowMs: number,
    deadlineMs: number,
    onSettled = (): unknown => undefined,
  ): void {
    const { early } = this.#subscribedOn(channel);
    const number = early.begin();
    const request = subscription.request.keepOwn();
    request.deadlineMs = deadlineMs;
    const call = new OwnCall(
      request,
      {
        onOwnReply: (reply) => {
          onSettled();
          subscription.call = undefined;
          this.#onReply(subscription, reply);
          this.#options.handlers.onUnowned(early.settle(number));
          this.#settle(this.#options.now());
        },
        onOwnFailure: (code, _channel, lateWireId) => {
          onSettled();
          subscription.call = undefined;
          this.#options.handlers.onUnowned(early.settle(number));
          this.#onFailure(subscription, channel, code, lateWireId);
        },
      },
      { moves: false },
    );
    subscription.call = call;
    call.submit(channel, nowMs);
  }

  #onReply(subscription: Subscription, reply: OwnReply): void {
    const { channel, buf, start, end } = reply;
    const token = this.#idIn(buf, start, end);
    const subscribed = this.#subscribedOn(channel);
    if (token === undefined) {
      if (subscription.ended) return;
      if (subscription.publicToken === undefined) this.#options.handlers.onRefused(subscription, reply);
      else this.#makeRestless(subscription, this.#options.now());
    } else if (subscription.ended || subscription.deserted) {
      this.#unsubscribe(channel, subscribed, subscription.kind, token);
    } else {
      this.#leavePlace(subscription);
      subscription.place = { channel, token };
      subscription.attempts = 0;
      subscribed.byToken.add(token, subscription);
      channel.subscribed++;
      this.#options.handlers.onPlaced(subscription, subscribed.early.take(token));
    }
  }

  #onFailure(subscription: Subscription, channel: Channel, code: ErrorCode, lateWireId: number): void {
    const late = this.#byChannel.get(channel)?.late;
    if (code === ErrorCode.Timeout && late !== undefined && late.size < maxLate)
      late.set(lateWireId, subscription.kind);
    if (subscription.ended) return;
    const isFirst = subscription.publicToken === undefined;
    if (isFirst && code !== ErrorCode.OutcomeUnknown) this.#options.handlers.onFailed(subscription, code);
    // A subscription ends with its connection, so one that may have begun there can safely begin elsewhere.
    else this.#makeRestless(subscription, this.#options.now());
  }

  /** The id in the reply to a subscribe, as bytes of its own; undefined when it has none. */
  #idIn(buf: Uint8Array, start: number, end: number): Uint8Array | undefined {
    if (this.#error.find(buf, start, end) !== Finding.absent) return undefined;
    const result = this.#result;
    if (result.find(buf, start, end) !== Finding.found) return undefined;
    return isToken(buf, result.start, result.end) ? ownToken(buf, result.start, result.end) : undefined;
  }

  #leavePlace(subscription: Subscription): void {
    const { place, kind } = subscription;
    if (place === undefined) return;
    const { channel, token }: Place = place;
    subscription.place = undefined;
    const subscribed = this.#subscribedOn(channel);
    const isLast = subscribed.byToken.remove(token, subscription);
    channel.subscribed--;
    if (isLast) this.#unsubscribe(channel, subscribed, kind, token);
  }

  #unsubscribe(channel: Channel, subscribed: Subscribed, kind: SubscriptionKind, token: Uint8Array): void {
    subscribed.ending.push(kind.unsubscribe(token, 0));
    this.#sendEnding(channel, subscribed);
  }

  #sendEnding(channel: Channel, { ending }: Subscribed): void {
    while (ending.length > 0 && channel.hasRoom) {
      const request = ending.shift()!;
      const nowMs = this.#options.now();
      request.acceptedAtMs = nowMs;
      request.deadlineMs = nowMs + this.#options.requestTimeoutMs;
      new OwnCall(request, swallowed, { moves: false }).submit(channel, nowMs);
    }
  }

  #subscribedOn(channel: Channel): Subscribed {
    let subscribed = this.#byChannel.get(channel);
    if (subscribed === undefined) {
      subscribed = new Subscribed(this.#options.random, this.#options.maxEarlyBytes);
      this.#byChannel.set(channel, subscribed);
    }
    return subscribed;
  }
}

const swallowed = { onOwnReply: () => undefined, onOwnFailure: () => undefined };
