import { Finding, Locator, parsePath } from '../jsonrpc/locate.ts';
import { MethodTable } from '../jsonrpc/method-table.ts';
import { ScanKind, type Scan } from '../jsonrpc/scan.ts';
import { ownerOfToken } from '../subscriptions/progress.ts';
import type { Protocol } from '../subscriptions/settings.ts';
import type { SubscriptionKind } from '../subscriptions/subscription-kind.ts';
import type { Subscriptions } from '../subscriptions/subscriptions.ts';
import type { Asks, Respondent } from './asks.ts';
import type { Channel } from './channel.ts';

/** What is to be done with the messages of an upstream that have a certain method. */
interface UpstreamMethod {
  /** It brings what a subscription of this kind is for. */
  readonly kind?: SubscriptionKind;
  /** It reports on a request, whose token stands there. */
  readonly token?: Locator;
  /** It asks a client; where it says which, or undefined when it says nothing. */
  readonly ask?: { readonly token: Locator | undefined };
  /** It asks the connection itself: the JSON to answer with. */
  readonly answer?: string;
}

export interface UnaskedOptions {
  readonly protocol: Protocol;
  readonly kinds: readonly SubscriptionKind[];
  readonly subscriptions: Subscriptions;
  readonly asks: Asks;
  readonly requestTimeoutMs: number;
  readonly now: () => number;
}

/** Brings what upstreams send unasked to those it is for: by an id that somebody owns, never by a guess. */
export class Unasked {
  readonly #options: UnaskedOptions;
  readonly #methods: MethodTable<UpstreamMethod | undefined>;
  readonly #params = new Locator(['params']);

  constructor(options: UnaskedOptions) {
    this.#options = options;
    this.#methods = upstreamMethods(options);
  }

  /** Takes a request or notification of an upstream; false when it is for nobody. A request is answered in any case. */
  take(channel: Channel, scan: Scan, buf: Uint8Array, start: number, end: number): boolean {
    const method = this.#methods.find(buf, scan.methodStart, scan.methodEnd);
    if (scan.kind === ScanKind.Notification) return this.#notify(channel, method, scan, buf, start, end);
    if (scan.kind !== ScanKind.Request) return false;
    if (channel.upstream.congested) return false;
    if (method?.answer !== undefined) {
      const id = Buffer.from(buf.subarray(scan.idStart, scan.idEnd)).toString();
      channel.tell(Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":${method.answer}}`));
      return true;
    }
    return this.#ask(channel, method, scan, buf, start, end);
  }

  #notify(
    channel: Channel,
    method: UpstreamMethod | undefined,
    { paramsStart, paramsEnd }: Scan,
    buf: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (method === undefined || paramsStart < 0) return false;
    if (method.kind !== undefined) {
      const { subscriptions } = this.#options;
      return subscriptions.onNotice(method.kind, channel, buf, start, paramsStart, paramsEnd, end);
    }
    const { token } = method;
    if (token?.find(buf, paramsStart, paramsEnd) !== Finding.found) return false;
    const found = ownerOfToken(channel, buf, token.start, token.end);
    const owner = found && channel.inFlight.owners[found.slot];
    owner?.deliverNotice(buf, start, token.start, token.end, end, found!.token);
    return owner !== undefined;
  }

  #ask(
    channel: Channel,
    method: UpstreamMethod | undefined,
    scan: Scan,
    buf: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    const { asks, now, requestTimeoutMs } = this.#options;
    const respondent = method?.ask && this.#respondent(channel, method.ask.token, buf, start, end);
    const deadlineMs = now() + requestTimeoutMs;
    if (respondent && asks.pass(respondent, channel, scan, buf, start, end, deadlineMs)) return true;
    asks.refuse(channel, scan, buf);
    return false;
  }

  /** The client that is meant: whose the token is, or the only one that this connection has ever served. */
  #respondent(
    channel: Channel,
    token: Locator | undefined,
    buf: Uint8Array,
    start: number,
    end: number,
  ): Respondent | undefined {
    if (token === undefined) return channel.soleClient;
    if (this.#params.find(buf, start, end) !== Finding.found) return undefined;
    if (token.find(buf, this.#params.start, this.#params.end) !== Finding.found) return undefined;
    const found = ownerOfToken(channel, buf, token.start, token.end);
    if (found !== undefined) return channel.inFlight.owners[found.slot];
    return this.#options.subscriptions.soleOwner(channel, buf, token.start, token.end);
  }
}

function upstreamMethods({ protocol, kinds }: UnaskedOptions): MethodTable<UpstreamMethod | undefined> {
  const methods: [string, UpstreamMethod][] = [
    ...protocol.progress.map(({ notification, tokenAt }): [string, UpstreamMethod] => [
      notification,
      { token: new Locator(parsePath(tokenAt)) },
    ]),
    ...kinds.map((kind): [string, UpstreamMethod] => [kind.methods.notification, { kind }]),
    ...protocol.asks.map(({ method, tokenAt }): [string, UpstreamMethod] => [
      method,
      { ask: { token: tokenAt === null ? undefined : new Locator(parsePath(tokenAt)) } },
    ]),
    ...[...protocol.answers].map(([method, answer]): [string, UpstreamMethod] => [method, { answer }]),
  ];
  return new MethodTable(methods, undefined);
}
