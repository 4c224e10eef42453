import { Charge, type ClientAllowance } from '../client-side.ts';
import { ErrorCode, ERROR_MESSAGES, errorReply } from '../jsonrpc/errors.ts';
import { ScanKind, scanRequest, type Scan } from '../jsonrpc/scan.ts';

/** Where the elements of a batch stand. */
export type Ranges = readonly (readonly [start: number, end: number])[];

/** Charges the client for what was just scanned; a `Charge`. */
export function chargeScanned(
  client: ClientAllowance,
  { methodStart, methodEnd }: Scan,
  bytes: Uint8Array,
): number {
  return client.isLimited ? client.charge(bytes.length, bytes, methodStart, methodEnd) : Charge.paid;
}

/** Charges each element of a batch; empty when none is charged, undefined when the batch is not to be looked at now. */
export function chargeBatch(
  client: ClientAllowance,
  scan: Scan,
  bytes: Uint8Array,
  ranges: Ranges,
): readonly number[] | undefined {
  if (!client.isLimited) return [];
  const requests = ranges.map(([start, end]) => {
    scanRequest(bytes, start, end, scan);
    return { start, end, methodStart: scan.methodStart, methodEnd: scan.methodEnd };
  });
  return client.chargeBatch(bytes, requests);
}

/** The error reply to something scanned that a limit refused; undefined when none is due. */
export function refusedReply(charge: number, scan: Scan, bytes: Uint8Array): Uint8Array | undefined {
  if (charge === Charge.dropped || scan.kind === ScanKind.Notification) return undefined;
  const { RateLimited } = ErrorCode;
  // A batch, or what was meant as a response, has no id to answer to.
  const idStart = scan.kind === ScanKind.Response || scan.kind === ScanKind.Batch ? -1 : scan.idStart;
  const dataJson = `{"retryAfterMs":${charge}}`;
  return errorReply(bytes, idStart, scan.idEnd, RateLimited, ERROR_MESSAGES[RateLimited], dataJson);
}
