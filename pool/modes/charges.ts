import { Charge, type ClientAllowance } from '../client-side.ts';
import { ErrorCode, ERROR_MESSAGES, errorReply } from '../jsonrpc/errors.ts';
import { ScanKind, scanRequest, type Scan } from '../jsonrpc/scan.ts';

/** Where the elements of a batch stand. */
export type Ranges = readonly (readonly [start: number, end: number])[];

/** Charges the client for what was just scanned; a `Charge`. */
export function chargeScanned(
  client: ClientAllowance,
  scan: Scan,
  bytes: Uint8Array,
  start: number,
  end: number,
  inBatch: boolean,
): number {
  if (!client.isLimited) return Charge.paid;
  return client.charge(end - start, bytes, scan.methodStart, scan.methodEnd, inBatch);
}

/** Charges each element of a batch; undefined, and nothing is charged, when the batch is not to be looked at now. */
export function chargeBatch(
  client: ClientAllowance,
  scan: Scan,
  bytes: Uint8Array,
  ranges: Ranges,
): readonly number[] | undefined {
  const charges: number[] = [];
  if (!client.isLimited) return charges;
  for (const [start, end] of ranges) {
    scanRequest(bytes, start, end, scan);
    const charge = chargeScanned(client, scan, bytes, start, end, true);
    if (charge === Charge.notNow) {
      unchargeBatch(client, scan, bytes, ranges, charges);
      return;
    }
    charges.push(charge);
  }
  return charges;
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

function unchargeBatch(
  client: ClientAllowance,
  scan: Scan,
  bytes: Uint8Array,
  ranges: Ranges,
  charges: readonly number[],
): undefined {
  for (const [index, charge] of charges.entries()) {
    const [start, end] = ranges[index]!;
    if (charge !== Charge.paid) continue;
    scanRequest(bytes, start, end, scan);
    client.uncharge(end - start, bytes, scan.methodStart, scan.methodEnd);
  }
  return undefined;
}
