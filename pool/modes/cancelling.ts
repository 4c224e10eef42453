import { canonicalId, hashId, isEscaped } from '../jsonrpc/ids.ts';
import { Finding, Locator, parsePath, type JsonPath } from '../jsonrpc/locate.ts';
import type { Request } from '../jsonrpc/request.ts';
import type { CancelMethod } from '../subscriptions/settings.ts';
import { isToken } from '../subscriptions/token-map.ts';
import type { Channel } from './channel.ts';

/** Who may give up what it has in flight; see request-lease.ts. */
export interface Canceller {
  readonly channel: Channel | undefined;
  readonly head: number;
}

interface Cancellation {
  readonly id: Locator;
  /** The notification that cancels a request, around its wire id. */
  readonly around: readonly [before: string, after: string];
}

/** Gives up requests upstream: those that clients cancel, and those of clients that left. */
export class Cancelling {
  readonly #cancellations: readonly Cancellation[];

  constructor(methods: readonly CancelMethod[]) {
    this.#cancellations = methods.map(({ method, idAt }) => {
      const path = parsePath(idAt);
      return { id: new Locator(path), around: notificationAround(method, path) };
    });
  }

  /** A client's own cancellation: passed on with the wire id of the request it names, or not at all when that is not in flight. */
  pass(lease: Canceller, request: Request, which: number, paramsStart: number, paramsEnd: number): void {
    const { channel, head } = lease;
    const { bytes, start, end } = request;
    const { id } = this.#cancellations[which]!;
    if (channel === undefined || paramsStart < 0 || channel.upstream.congested) return;
    if (id.find(bytes, paramsStart, paramsEnd) !== Finding.found || !isToken(bytes, id.start, id.end)) return;
    const isPlain = !isEscaped(bytes, id.start, id.end);
    const token = isPlain ? bytes.subarray(id.start, id.end) : canonicalId(bytes, id.start, id.end);
    const slot = channel.inFlight.slotOf(head, token, hashId(token, 0, token.length));
    if (slot < 0) return;
    const wireId = Buffer.from(String(channel.inFlight.wireId(slot)));
    channel.tell(Buffer.concat([bytes.subarray(start, id.start), wireId, bytes.subarray(id.end, end)]));
  }

  /** The client is leaving: nobody waits for what it has in flight. */
  leave({ channel, head }: Canceller): void {
    if (channel === undefined || this.#cancellations.length === 0) return;
    for (const slot of channel.inFlight.slotsOf(head)) this.give(channel, slot);
  }

  /** Tells the upstream that nobody waits for the request in that slot. */
  give(channel: Channel, slot: number): void {
    const [first] = this.#cancellations;
    if (first === undefined || !channel.upstream.usable || channel.upstream.congested) return;
    channel.tell(Buffer.from(first.around.join(String(channel.inFlight.wireId(slot)))));
  }
}

function notificationAround(method: string, path: JsonPath): readonly [string, string] {
  const [before, after] = path.reduceRight<readonly [string, string]>(
    ([head, tail], step) =>
      typeof step === 'number'
        ? [`[${'null,'.repeat(step)}${head}`, `${tail}]`]
        : [`{${JSON.stringify(step)}:${head}`, `${tail}}`],
    ['', ''],
  );
  return [`{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${before}`, `${after}}`];
}
