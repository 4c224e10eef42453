import { Locator, parsePath, type JsonPath } from '../jsonrpc/locate.ts';
import { Request } from '../jsonrpc/request.ts';
import type { SubscriptionMethods } from './settings.ts';

/** One subscription protocol, ready for use. */
export class SubscriptionKind {
  readonly methods: SubscriptionMethods;
  /** Finds the id in the params of a notification. */
  readonly notificationId: Locator;
  /** Finds the id in the params of an unsubscribe. */
  readonly unsubscribeId: Locator;
  readonly #unsubscribePath: JsonPath;

  constructor(methods: SubscriptionMethods) {
    this.methods = methods;
    this.notificationId = new Locator(parsePath(methods.idAt));
    this.#unsubscribePath = parsePath(methods.unsubscribeIdAt);
    this.unsubscribeId = new Locator(this.#unsubscribePath);
  }

  /** A request of the gateway's own that ends the subscription with this id, given as a JSON token. */
  unsubscribe(idToken: Uint8Array, deadlineMs: number): Request {
    const method = JSON.stringify(this.methods.unsubscribe);
    const params = nest(this.#unsubscribePath, Buffer.from(idToken).toString());
    const head = '{"jsonrpc":"2.0","id":';
    const request = new Request();
    request.bytes = Buffer.from(`${head}0,"method":${method},"params":${params}}`);
    request.end = request.bytes.length;
    request.cutStart = head.length;
    request.cutEnd = head.length + 1;
    request.id = request.bytes;
    request.idStart = request.cutStart;
    request.idEnd = request.cutEnd;
    request.deadlineMs = deadlineMs;
    return request;
  }
}

/** The JSON in which a path leads to the value. */
function nest(path: JsonPath, json: string): string {
  return path.reduceRight<string>(
    (inner, step) =>
      typeof step === 'number' ? `[${'null,'.repeat(step)}${inner}]` : `{${JSON.stringify(step)}:${inner}}`,
    json,
  );
}
