import type { Member } from '../balancers/balancer.ts';
import type { Endpoint } from '../endpoint.ts';
import type { UpstreamConnection } from '../upstream.ts';

/** An upstream connection that many clients share. */
export interface SharedConnection extends Member {
  readonly upstream: UpstreamConnection;
  readonly endpoint: Endpoint;
  /** It takes nothing new, and is closed as soon as it carries nothing. */
  draining: boolean;
  /** It takes nothing new for as long as the pool is paused. */
  held: boolean;
  /** When what waits longest for an answer was sent; Infinity when nothing does, absent where answers cannot be told. */
  readonly oldestSentAtMs?: number;
  /** True when it must not be closed, though its load be 0. */
  readonly occupied?: boolean;
}
