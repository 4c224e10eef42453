import { isUtf8 } from 'node:buffer';
import type { Member } from '../balancers/balancer.ts';
import type { Endpoint } from '../endpoint.ts';
import { parseWireId } from '../jsonrpc/ids.ts';
import { InFlight } from '../jsonrpc/in-flight.ts';
import type { Request } from '../jsonrpc/request.ts';
import { Scan, ScanKind, scanReply } from '../jsonrpc/scan.ts';
import { WaitRing } from '../queue.ts';
import type { Upstream, UpstreamOwner } from '../upstream.ts';
import type { RequestLease } from './request-lease.ts';
import type { RequestMode } from './request.ts';

/** One upstream connection shared by many clients: its epoch of wire ids, and who waits for it. */
export class Channel implements Member, UpstreamOwner {
  readonly upstream: Upstream;
  readonly endpoint: Endpoint;
  readonly inFlight: InFlight<RequestLease>;
  /** Clients that must use this connection, for something of theirs is in flight here, and wait for room. */
  readonly waiting = new WaitRing<RequestLease>();
  readonly #mode: RequestMode;
  readonly #scan = new Scan();
  /** No new requests: it is closed as soon as it is empty. */
  draining = false;
  /** Whether the next free slot goes to a client that is bound to this connection or to one that is not. */
  favoursBound = true;

  constructor(upstream: Upstream, endpoint: Endpoint, mode: RequestMode, slots: number, idCeiling: number) {
    this.upstream = upstream;
    this.endpoint = endpoint;
    this.#mode = mode;
    this.inFlight = new InFlight(slots, idCeiling);
    upstream.owner = this;
  }

  get available(): boolean {
    return !this.inFlight.full && this.upstream.usable && !this.upstream.congested && !this.draining;
  }

  get load(): number {
    return this.inFlight.size;
  }

  /** Writes a request to the upstream and enters it in the table. The channel must be available. */
  submit(lease: RequestLease, request: Request, nowMs: number): void {
    const { bytes, start, end, cutStart, cutEnd } = request;
    if (request.isNotification) {
      this.upstream.send(bytes, start, end, false);
      return;
    }
    const slot = this.inFlight.claim(lease, lease.head, request, nowMs);
    if (request.batch !== undefined || request.retriesLeft > 0) this.inFlight.kept[slot] = request.keep();
    lease.onSubmitted(this, slot);
    this.upstream.sendSpliced(bytes, start, cutStart, cutEnd, end, this.inFlight.wireId(slot));
    if (this.inFlight.exhausted) this.#mode.retire(this);
  }

  onUpstreamMessage(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    const scan = this.#scan;
    scanReply(buf, start, end, scan);
    if (scan.kind !== ScanKind.Response || (isBinary && !isUtf8(buf.subarray(start, end)))) {
      this.#mode.onUnowned(scan.kind);
      return;
    }
    const slot = this.inFlight.find(parseWireId(buf, scan.idStart, scan.idEnd));
    if (slot < 0) {
      this.#mode.counts.droppedUnknownId++;
      return;
    }
    const lease = this.inFlight.owners[slot];
    if (lease === undefined) this.inFlight.release(slot, -1);
    else lease.onReply(this, slot, buf, start, scan.idStart, scan.idEnd, end);
    this.#mode.onRoom(this);
  }

  onUpstreamWritable(): void {
    this.#mode.onRoom(this);
  }

  onUpstreamGone(): void {
    this.#mode.onChannelGone(this);
  }
}
