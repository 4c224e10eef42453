import { parseWireId } from '../jsonrpc/ids.ts';
import { Request } from '../jsonrpc/request.ts';
import { Scan, ScanKind, scanRequest } from '../jsonrpc/scan.ts';
import type { Channel } from './channel.ts';

/** What a lost connection was provably never sent. */
export interface Unsent {
  /** Requests as their clients sent them, by slot. */
  readonly requests: ReadonlyMap<number, Request>;
  readonly notifications: readonly Uint8Array[];
}

/** Reads back what is still in the write buffer of a channel; wire ids are exchanged for the clients' own again. */
export function recoverUnsent(channel: Channel): Unsent {
  const requests = new Map<number, Request>();
  const notifications: Uint8Array[] = [];
  const scan = new Scan();
  channel.upstream.unsent((buf, start, end) => {
    scanRequest(buf, start, end, scan);
    if (scan.kind === ScanKind.Notification) notifications.push(buf.subarray(start, end));
    const slot = channel.inFlight.find(parseWireId(buf, scan.idStart, scan.idEnd));
    if (slot >= 0) requests.set(slot, restore(channel, slot, buf, start, scan, end));
  });
  return { requests, notifications };
}

function restore(
  { inFlight }: Channel,
  slot: number,
  buf: Uint8Array,
  start: number,
  scan: Scan,
  end: number,
): Request {
  const id = inFlight.idBytes.slice(inFlight.idStart(slot), inFlight.idEnd(slot));
  const request = inFlight.kept[slot] ?? new Request();
  request.bytes = Buffer.concat([buf.subarray(start, scan.idStart), id, buf.subarray(scan.idEnd, end)]);
  request.start = 0;
  request.end = request.bytes.length;
  request.cutStart = scan.idStart - start;
  request.cutEnd = request.cutStart + id.length;
  request.id = id;
  request.idStart = 0;
  request.idEnd = id.length;
  request.idHash = inFlight.idHash(slot);
  request.acceptedAtMs = inFlight.acceptedAtMs(slot);
  request.deadlineMs = inFlight.deadlineMs(slot);
  return request;
}
