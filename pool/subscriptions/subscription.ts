import type { Request } from '../jsonrpc/request.ts';
import type { Channel } from '../modes/channel.ts';
import type { FollowingLease, Followers } from '../modes/followers.ts';
import type { OwnCall } from '../modes/own-call.ts';
import type { Notice } from './early-notices.ts';
import type { SubscriptionKind } from './subscription-kind.ts';

/** A client that may have subscriptions; see request-lease.ts. */
export interface Subscriber extends FollowingLease {
  /** Answers a request with bytes made here; false when its batch has no room for them, and an error took their place. */
  answer(request: Request, bytes: Uint8Array): boolean;
  /** Hands over a message in which the bytes from cutStart to cutEnd are replaced by the token. */
  deliverNotice(
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
    token: Uint8Array,
  ): void;
  /** Something of it is lost for good: it is closed, to begin anew. */
  tellLost(): void;
}

/** One who gets the notifications of a subscription. */
export interface Owner {
  readonly lease: Subscriber;
  /** What came while its answer waits for the rest of a batch; undefined when there is no such thing. */
  held: Notice[] | undefined;
  heldBytes: number;
}

/** Where a subscription lives upstream. */
export interface Place {
  readonly channel: Channel;
  /** The upstream's id for it, as a JSON token in its one spelling. */
  readonly token: Uint8Array;
}

/** One subscription upstream, and the clients that share it. */
export class Subscription {
  readonly kind: SubscriptionKind;
  /** The subscribe that begins it, with bytes of its own. */
  readonly request: Request;
  /** What makes two subscriptions the same; '' when it is not to be shared. */
  readonly key: string;
  readonly owners = new Map<Subscriber, Owner>();
  /** Clients whose subscribe has had no answer. */
  readonly followers: Followers<Subscriber>;
  /** The id its owners know, as a JSON token; undefined until the upstream has told its own. */
  publicToken: Uint8Array | undefined;
  /** The same as text. */
  publicId = '';
  place: Place | undefined;
  /** The subscribe under way. */
  call: OwnCall | undefined;
  /** Nobody wants it any more. */
  ended = false;
  /** Subscribes that failed since it was well. */
  attempts = 0;
  /** Not to be subscribed again before that time. */
  dueAtMs = 0;
  /** Its owners are told at that time, when it is still nowhere. */
  giveUpAtMs = 0;

  constructor(kind: SubscriptionKind, request: Request, key: string, followers: Followers<Subscriber>) {
    this.kind = kind;
    this.request = request;
    this.key = key;
    this.followers = followers;
  }

  /** Nobody has it, and nobody waits for it. */
  get deserted(): boolean {
    return this.owners.size === 0 && this.followers.size === 0;
  }
}
