import { copyBytes } from '../copy-bytes.ts';
import { parseWireId } from '../jsonrpc/ids.ts';
import type { MethodTable } from '../jsonrpc/method-table.ts';
import { Request } from '../jsonrpc/request.ts';
import { Scan, ScanKind, scanRequest } from '../jsonrpc/scan.ts';
import type { Channel, Requester } from './channel.ts';

/** A request or notification that a lost connection was not sent, or may be sent again. */
export interface Moved {
  /** Its slot on the lost connection; −1 for a notification. */
  readonly slot: number;
  readonly lease: Requester;
  readonly request: Request;
}

/**
 * Reads back what is still in the write buffer of a channel, in its order; wire ids are exchanged for the clients' own
 * again. What belongs to a client that left is left out.
 */
export function recoverUnsent(channel: Channel, methods: MethodTable): Moved[] {
  const moved: Moved[] = [];
  const notifiers = channel.unsentNotifiers();
  const scan = new Scan();
  channel.upstream.unsent((buf, start, end) => {
    scanRequest(buf, start, end, scan);
    // The answer to something that this connection asked.
    if (scan.kind === ScanKind.Response) return;
    if (scan.kind === ScanKind.Notification) {
      const lease = notifiers.shift();
      const request = new Request();
      request.describe(buf, start, end, scan);
      request.traits = methods.find(buf, scan.methodStart, scan.methodEnd);
      request.deadlineMs = Infinity;
      if (lease?.released === false) moved.push({ slot: -1, lease, request });
      return;
    }
    const slot = channel.inFlight.find(parseWireId(buf, scan.idStart, scan.idEnd));
    const lease = channel.inFlight.owners[slot];
    if (lease?.moves !== true) return;
    const request = restore(channel, slot, buf, start, scan, end);
    request.traits = methods.find(buf, scan.methodStart, scan.methodEnd);
    moved.push({ slot, lease, request });
  });
  return moved;
}

function restore(
  { inFlight }: Channel,
  slot: number,
  buf: Uint8Array,
  start: number,
  scan: Scan,
  end: number,
): Request {
  const kept = inFlight.kept[slot];
  // Its own bytes are as the client wrote them, tokens included.
  if (kept?.tokens !== undefined) return kept;
  const id = copyBytes(inFlight.idBytes, inFlight.idStart(slot), inFlight.idEnd(slot));
  const request = kept ?? new Request();
  request.bytes = Buffer.concat([buf.subarray(start, scan.idStart), id, buf.subarray(scan.idEnd, end)]);
  request.start = 0;
  request.end = request.bytes.length;
  request.cutStart = scan.idStart - start;
  request.cutEnd = request.cutStart + id.length;
  const moved = id.length - (scan.idEnd - scan.idStart);
  // What stands behind the id has moved with it.
  const methodStart = scan.methodStart - start;
  request.methodStart = methodStart < request.cutStart ? methodStart : methodStart + moved;
  request.methodEnd = request.methodStart + scan.methodEnd - scan.methodStart;
  request.id = id;
  request.idStart = 0;
  request.idEnd = id.length;
  request.idHash = inFlight.idHash(slot);
  request.acceptedAtMs = inFlight.acceptedAtMs(slot);
  request.deadlineMs = inFlight.deadlineMs(slot);
  return request;
}
