import type { Writable } from 'node:stream';
import * as ws from 'ws';
import type { WireEvent } from './frames.fixture.ts';

type Receiver = new (options: { readonly isServer: boolean }) => Writable;

// ws exports its parser, but its types do not know.
const { Receiver } = ws as unknown as { readonly Receiver: Receiver };

/** What the server side of ws reads in these bytes; throws what ws finds wrong with them. */
export function readByWs(bytes: Buffer): WireEvent[] {
  const events: WireEvent[] = [];
  let fault: Error | undefined;
  const receiver = new Receiver({ isServer: true });
  const hex = (payload: Buffer): string => payload.toString('hex');
  receiver.on('message', (data: Buffer, isBinary: boolean) => {
    events.push([isBinary ? 'binary' : 'text', hex(Buffer.from(data))]);
  });
  receiver.on('ping', (payload: Buffer) => events.push(['ping', hex(payload)]));
  receiver.on('pong', (payload: Buffer) => events.push(['pong', hex(payload)]));
  receiver.on('conclude', (code: number, reason: Buffer) => events.push(['close', code, reason.toString()]));
  receiver.on('error', (error) => (fault = error));
  receiver.write(bytes);
  if (fault !== undefined) throw fault;
  return events;
}
