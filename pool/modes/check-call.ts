import { Request } from '../jsonrpc/request.ts';
import { Scan, scanRequest } from '../jsonrpc/scan.ts';
import type { WaitRing, Waiter } from '../waiting/queue.ts';
import { Priority } from '../waiting/priority.ts';
import type { Channel, Requester } from './channel.ts';
import { WaitingRequests } from './waiting-requests.ts';

const none = -1;

/** The JSON-RPC call that a health check makes. */
export function checkCall(method: string, params: unknown): Uint8Array {
  const call = { jsonrpc: '2.0', id: 1, method, ...(params === null ? {} : { params }) };
  return new Uint8Array(Buffer.from(JSON.stringify(call)));
}

/**
 * One call of a health check: it has a slot on its channel as a client's request has, and is in no ledger. The channel tells the
 * endpoint of its answer, or that there was none in time; what the answer says is nobody's.
 */
export class CheckCall implements Requester {
  ring: WaitRing<Waiter> | undefined;
  ringNext: Waiter | undefined;
  ringPrevious: Waiter | undefined;
  readonly released = false;
  readonly moves = false;
  readonly isClient = false;
  head = none;
  channel: Channel | undefined;
  readonly waiting = new WaitingRequests();
  readonly priority = Priority.high;
  heldUntilMs = 0;

  /** Sends it; the channel must have a free slot. */
  constructor(bytes: Uint8Array, channel: Channel, nowMs: number, timeoutMs: number) {
    const scan = new Scan();
    const request = new Request();
    scanRequest(bytes, 0, bytes.length, scan);
    request.describe(bytes, 0, bytes.length, scan);
    request.acceptedAtMs = nowMs;
    request.deadlineMs = request.queueDeadlineMs = nowMs + timeoutMs;
    channel.submit(this, request, nowMs);
  }

  onSubmitted(channel: Channel, slot: number): void {
    this.channel = channel;
    this.head = slot;
  }

  onReply(_channel: Channel, slot: number): void {
    this.dropSlot(slot);
  }

  failSlot(slot: number): void {
    this.dropSlot(slot);
  }

  failRequest(): void {
    // It was never sent, which is nobody's fault.
  }

  dropSlot(slot: number): void {
    this.head = this.channel!.inFlight.release(slot, this.head);
    this.channel = undefined;
  }

  deliverNotice(): void {
    // Nobody is reported to.
  }
}
