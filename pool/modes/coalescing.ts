import type { ErrorCode } from '../jsonrpc/errors.ts';
import type { Request } from '../jsonrpc/request.ts';
import type { Channel } from './channel.ts';
import { Followers, type FollowerTally, type FollowingLease } from './followers.ts';
import { OwnCall, type OwnCaller, type OwnReply } from './own-call.ts';

/** Calls of methods that are safe to share, in flight or waiting to be: who asks for the same gets the same answer. */
export class Coalescing {
  /** Those that still take followers. */
  readonly #open = new Map<string, SharedCall>();
  /** Those with somebody to answer. */
  readonly #calls = new Set<SharedCall>();
  readonly #maxFollowers: number;
  readonly #waiting: FollowerTally = { size: 0 };
  readonly #giveUp: (channel: Channel, slot: number) => void;
  /** Requests that were answered by a call of somebody else's. */
  coalesced = 0;

  /** One call has at most so many followers, and so have all together. `giveUp` is told of one in flight that nobody waits for. */
  constructor(maxFollowers: number, giveUp: (channel: Channel, slot: number) => void) {
    this.#maxFollowers = maxFollowers;
    this.#giveUp = giveUp;
  }

  /** Lets a request have the answer of an identical one; false when there is none, or it has too many followers. */
  join(lease: FollowingLease, request: Request): boolean {
    const call = this.#open.get(request.shareKey!);
    // Of each call one is no follower, but the one who asked first.
    const followers = this.#waiting.size - this.#calls.size;
    if (call === undefined || followers >= this.#maxFollowers) return false;
    this.coalesced++;
    call.add(lease, request);
    return true;
  }

  /** Sends a request whose answer others may have too. */
  submit(channel: Channel, lease: FollowingLease, request: Request, nowMs: number): void {
    if (this.join(lease, request)) return;
    const key = request.shareKey!;
    const call: SharedCall = new SharedCall(request, this.#waiting, {
      onClosed: () => {
        if (this.#open.get(key) === call) this.#open.delete(key);
      },
      onEnded: () => this.#calls.delete(call),
    });
    this.#calls.add(call);
    // With a full call of the same key still under way, this one takes its place.
    this.#open.set(key, call);
    call.add(lease, request);
    call.submit(channel, nowMs);
  }

  /** Ends the requests that have waited too long. */
  sweep(nowMs: number): void {
    for (const call of this.#calls) call.sweep(nowMs, this.#giveUp);
  }
}

interface SharedCallHandlers {
  /** It takes no more followers. */
  onClosed(): void;
  /** It has nobody to answer any more. */
  onEnded(): void;
}

/** One call upstream and those who wait for its answer. */
class SharedCall implements OwnCaller {
  readonly #followers: Followers;
  readonly #call: OwnCall;
  readonly #handlers: SharedCallHandlers;

  constructor(request: Request, tally: FollowerTally, handlers: SharedCallHandlers) {
    this.#followers = new Followers(tally);
    this.#call = new OwnCall(request.keepOwn(), this, { moves: true });
    this.#handlers = handlers;
  }

  add(lease: FollowingLease, request: Request): void {
    this.#followers.add(lease, request);
    this.#call.extend(request.deadlineMs);
  }

  submit(channel: Channel, nowMs: number): void {
    this.#call.submit(channel, nowMs);
  }

  sweep(nowMs: number, giveUp: (channel: Channel, slot: number) => void): void {
    // Who comes after somebody has waited in vain should rather try another connection.
    if (this.#followers.expire(nowMs)) this.#handlers.onClosed();
    if (this.#followers.size > 0) return;
    this.#end();
    const { channel, head } = this.#call;
    if (channel !== undefined) giveUp(channel, head);
  }

  onOwnReply(reply: OwnReply): void {
    this.#end();
    this.#followers.answer(reply);
  }

  onOwnFailure(code: ErrorCode): void {
    this.#end();
    this.#followers.fail(code);
  }

  #end(): void {
    this.#handlers.onClosed();
    this.#handlers.onEnded();
  }
}
