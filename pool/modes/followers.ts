import { ErrorCode } from '../jsonrpc/errors.ts';
import type { Request } from '../jsonrpc/request.ts';
import type { OwnReply } from './own-call.ts';

/** A client whose request is answered by a call that it may share; see request-lease.ts. */
export interface FollowingLease {
  readonly released: boolean;
  /** A request of it now waits for such a call. */
  onFollow(follower: Follower): void;
  /** It does not any more. */
  onUnfollow(follower: Follower): void;
  /** Answers such a request with the reply of the call, under its own id. */
  answerFollower(request: Request, reply: OwnReply): void;
  /** Answers a request with an error made here. */
  failRequest(request: Request, code: ErrorCode, message?: string): void;
}

/** One request that waits for a shared call; the request has no bytes any more, only its id and its deadline. */
export interface Follower<L extends FollowingLease = FollowingLease> {
  readonly lease: L;
  readonly request: Request;
  /** Takes it out of those that wait. */
  readonly leave: () => void;
}

/** How many follow something, over several groups. */
export interface FollowerTally {
  size: number;
}

/** The requests that one call will answer, in their order; each ends on its own. */
export class Followers<L extends FollowingLease = FollowingLease> {
  readonly #followers = new Set<Follower<L>>();
  readonly #tally: FollowerTally;

  constructor(tally: FollowerTally) {
    this.#tally = tally;
  }

  get size(): number {
    return this.#followers.size;
  }

  /** Whether a request of this client is among them. */
  includes(lease: L): boolean {
    for (const follower of this.#followers) if (follower.lease === lease) return true;
    return false;
  }

  /** Takes in a request, which from now on waits for the call. */
  add(lease: L, request: Request): void {
    const follower = { lease, request: request.keepId(), leave: () => this.#remove(follower) };
    this.#followers.add(follower);
    this.#tally.size++;
    lease.onFollow(follower);
  }

  /** Takes all out; each has to be given its answer by the caller. */
  takeAll(): Follower<L>[] {
    const all = [...this.#followers];
    for (const follower of all) this.#take(follower);
    return all;
  }

  /** Answers all with the reply. */
  answer(reply: OwnReply): void {
    for (const { lease, request } of this.takeAll()) lease.answerFollower(request, reply);
  }

  /** Ends all with an error. */
  fail(code: ErrorCode): void {
    for (const { lease, request } of this.takeAll()) lease.failRequest(request, code);
  }

  /** Ends those that have waited too long; true when there was one. */
  expire(nowMs: number): boolean {
    let any = false;
    for (const follower of this.#followers) {
      if (follower.request.deadlineMs > nowMs) continue;
      any = true;
      this.#take(follower);
      follower.lease.failRequest(follower.request, ErrorCode.Timeout);
    }
    return any;
  }

  #remove(follower: Follower<L>): void {
    if (this.#followers.delete(follower)) this.#tally.size--;
  }

  #take(follower: Follower<L>): void {
    this.#remove(follower);
    follower.lease.onUnfollow(follower);
  }
}
