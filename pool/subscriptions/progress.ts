import { canonicalId, isEscaped } from '../jsonrpc/ids.ts';
import { Finding, Locator, parsePath } from '../jsonrpc/locate.ts';
import { parseToken, type ProgressToken } from '../jsonrpc/progress-tokens.ts';
import type { Channel } from '../modes/channel.ts';
import type { ProgressMethods } from './settings.ts';
import { isToken } from './token-map.ts';
import { copyBytes } from '../copy-bytes.ts';

/** Whose request a token of ours belongs to. */
export interface TokenOwner {
  readonly slot: number;
  /** The client's own token for it. */
  readonly token: Uint8Array;
}

/** Finds the tokens by which requests are reported on, in what clients and upstreams say. */
export class Progress {
  readonly #requestTokens: readonly Locator[];

  constructor(methods: readonly ProgressMethods[]) {
    const paths = new Set(methods.flatMap(({ requestTokensAt }) => requestTokensAt));
    this.#requestTokens = [...paths].map((path) => new Locator(parsePath(path)));
  }

  /** True when no request has tokens, so that none needs to be looked at. */
  get isEmpty(): boolean {
    return this.#requestTokens.length === 0;
  }

  /**
   * The tokens in the params of a request that begins at `start`; undefined for none, 'doubtful' when an upstream might see another
   * than we do, for then a client could name somebody else's.
   */
  tokensIn(
    bytes: Uint8Array,
    start: number,
    paramsStart: number,
    paramsEnd: number,
  ): readonly ProgressToken[] | undefined | 'doubtful' {
    let tokens: ProgressToken[] | undefined;
    for (const locator of this.#requestTokens) {
      const finding = locator.find(bytes, paramsStart, paramsEnd);
      if (finding === Finding.doubtful) return 'doubtful';
      if (finding === Finding.absent) continue;
      const { start: from, end: to } = locator;
      // Anything else cannot be taken for a token of ours when it comes back.
      if (!isToken(bytes, from, to)) continue;
      (tokens ??= []).push({ start: from - start, end: to - start, token: copyBytes(bytes, from, to) });
    }
    return tokens;
  }
}

/** Whose the token is that stands there; undefined when it is of no request in flight on the channel. */
export function ownerOfToken(
  { inFlight }: Channel,
  buf: Uint8Array,
  start: number,
  end: number,
): TokenOwner | undefined {
  const spelt = isEscaped(buf, start, end) ? canonicalId(buf, start, end) : undefined;
  const parsed = spelt === undefined ? parseToken(buf, start, end) : parseToken(spelt, 0, spelt.length);
  if (parsed === undefined) return undefined;
  const slot = inFlight.find(parsed.wireId);
  const token = slot < 0 ? undefined : inFlight.kept[slot]?.tokens?.[parsed.index]?.token;
  return token && { slot, token };
}
