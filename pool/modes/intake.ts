import { isUtf8 } from 'node:buffer';
import { Charge, type ClientSide } from '../client-side.ts';
import { Batch } from '../jsonrpc/batch.ts';
import { ERROR_MESSAGES, ErrorCode, errorReply } from '../jsonrpc/errors.ts';
import type { MethodTable } from '../jsonrpc/method-table.ts';
import { Request } from '../jsonrpc/request.ts';
import { Scan, ScanKind, scanRequest } from '../jsonrpc/scan.ts';
import { splitBatch, type BatchFault } from '../jsonrpc/split-batch.ts';
import { chargeBatch, chargeScanned, refusedReply } from './charges.ts';

const none = -1;

const batchFaults: Readonly<Record<BatchFault, string>> = {
  'not-json': '',
  empty: 'the batch is empty',
  'too-many': 'the batch has too many elements',
  'too-deep': 'the message nests too deep',
};

/** Who gets the requests of a client; see request-lease.ts. */
export interface IntakeOwner {
  readonly client: ClientSide;
  readonly released: boolean;
  /** Takes a request or notification; both are valid during the call only. */
  accept(request: Request, scan: Scan): void;
  /** Takes a response to something that an upstream asked; false when it was not asked. */
  respond(bytes: Uint8Array, start: number, end: number, scan: Scan): boolean;
}

export interface IntakeOptions {
  readonly methods: MethodTable;
  readonly maxBatchSize: number;
  /** What the replies of a batch may have together. */
  readonly maxBatchReplyBytes: number;
  /** Something that never was a request is answered with an error: no ledger counts it. */
  readonly onRefused: (code: ErrorCode) => void;
}

/** Finds the requests in the messages of clients, has them charged, and refuses what is none. One serves all clients in turn. */
export class Intake {
  readonly #options: IntakeOptions;
  // Reused for every message: filled, used and forgotten within one call.
  readonly #scan = new Scan();
  readonly #request = new Request();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Takes one message. */
  take(owner: IntakeOwner, bytes: Uint8Array, isBinary: boolean): void {
    const scan = this.#scan;
    scanRequest(bytes, 0, bytes.length, scan);
    if (isBinary && !isUtf8(bytes)) scan.kind = ScanKind.NotJson;
    if (scan.kind === ScanKind.Batch) return this.#takeBatch(owner, bytes);
    const charge = chargeScanned(owner.client, scan, bytes);
    if (charge === Charge.paid) this.#takeScanned(owner, bytes, 0, bytes.length, undefined, 0);
    else this.#refuseCharge(owner, charge, bytes);
  }

  #takeBatch(owner: IntakeOwner, bytes: Uint8Array): void {
    const scan = this.#scan;
    const ranges: [number, number][] = [];
    const { maxBatchSize, maxBatchReplyBytes } = this.#options;
    const fault = splitBatch(bytes, 0, bytes.length, maxBatchSize, (start, end) => ranges.push([start, end]));
    if (fault !== undefined) {
      const charge = chargeScanned(owner.client, scan, bytes);
      if (charge !== Charge.paid) return this.#refuseCharge(owner, charge, bytes);
      const code = fault === 'not-json' ? ErrorCode.ParseError : ErrorCode.InvalidRequest;
      return this.#refuse(owner, code, batchFaults[fault]);
    }
    const charges = chargeBatch(owner.client, scan, bytes, ranges);
    if (charges === undefined) return;
    const batch = new Batch(ranges.length, maxBatchReplyBytes, (answer) => {
      if (!owner.released) owner.client.send(answer, false);
    });
    ranges.forEach(([start, end], index) => {
      scanRequest(bytes, start, end, scan);
      const charge = charges[index] ?? Charge.paid;
      if (charge === Charge.paid) this.#takeScanned(owner, bytes, start, end, batch, index);
      else this.#refuseCharge(owner, charge, bytes, batch, index);
    });
  }

  #takeScanned(
    owner: IntakeOwner,
    bytes: Uint8Array,
    start: number,
    end: number,
    batch: Batch | undefined,
    index: number,
  ): void {
    const scan = this.#scan;
    if (scan.kind === ScanKind.Response && owner.respond(bytes, start, end, scan))
      return batch?.settle(index, undefined);
    if (scan.kind > ScanKind.Notification) return this.#refuseScanned(owner, bytes, batch, index);
    const request = this.#request;
    request.describe(bytes, start, end, scan);
    request.traits = this.#options.methods.find(bytes, scan.methodStart, scan.methodEnd);
    request.batch = batch;
    request.batchIndex = index;
    owner.accept(request, scan);
  }

  /** What a rate limit refused was never accepted, so no ledger counts it. */
  #refuseCharge(owner: IntakeOwner, charge: number, bytes: Uint8Array, batch?: Batch, index = 0): void {
    if (charge === Charge.notNow) return;
    const reply = refusedReply(charge, this.#scan, bytes);
    if (charge !== Charge.dropped) this.#options.onRefused(ErrorCode.RateLimited);
    if (batch !== undefined) batch.settle(index, reply);
    else if (reply !== undefined) owner.client.send(reply, false);
  }

  /** Answers what is not a request: it was never accepted, so no ledger counts it. */
  #refuseScanned(owner: IntakeOwner, bytes: Uint8Array, batch: Batch | undefined, index: number): void {
    const scan = this.#scan;
    if (scan.kind === ScanKind.Response || scan.kind === ScanKind.Batch) scan.idStart = none;
    const code = scan.kind === ScanKind.NotJson ? ErrorCode.ParseError : ErrorCode.InvalidRequest;
    const words = scan.kind === ScanKind.Response ? 'no request awaits this response' : scan.fault;
    this.#refuse(owner, code, words, bytes, batch, index);
  }

  #refuse(
    owner: IntakeOwner,
    code: ErrorCode,
    words: string,
    bytes?: Uint8Array,
    batch?: Batch,
    index = 0,
  ): void {
    const scan = this.#scan;
    const message = words === '' ? ERROR_MESSAGES[code] : `${ERROR_MESSAGES[code]} (${words})`;
    const reply = errorReply(bytes, bytes === undefined ? none : scan.idStart, scan.idEnd, code, message);
    this.#options.onRefused(code);
    if (batch === undefined) owner.client.send(reply, false);
    else batch.settle(index, reply);
  }
}
