import { Episode } from './episode.ts';

const reachableAfterMs = 1_000;
const heldAfterMs = 10_000;

/** What goes on and off with one upstream, for the log. */
export class UpstreamTroubles {
  /** Dials fail. */
  readonly unreachable = new Episode(reachableAfterMs);
  /** Connections are lost. */
  readonly losses = new Episode(heldAfterMs);
  /** Its breaker has let a probe go since it opened. */
  probed = false;
}
