import { OPCODE, clientFrame, type RawClient } from './raw-client.ts';

/** A raw client whose text messages are heard as they come, and whose pings are answered. */
export interface Listening {
  /** The other side has ended the connection. */
  ended(): boolean;
  /** Hears nothing more. */
  stop(): void;
}

/** Listens to an upgraded client until the connection ends. */
export function listen(client: RawClient, onText: (text: string) => void): Listening {
  let ended = false;
  let stopped = false;
  const hear = async (): Promise<void> => {
    for (;;) {
      const frame = await client.nextFrame(LONGEST_SILENCE_MS).catch(() => undefined);
      if (stopped) return;
      if (frame === undefined || frame.opcode === OPCODE.close) {
        ended = true;
        client.socket.end();
        return;
      }
      if (frame.opcode === OPCODE.ping) client.send(clientFrame(frame.payload, { opcode: OPCODE.pong }));
      else onText(frame.payload.toString());
    }
  };
  void hear();
  return { ended: () => ended, stop: () => (stopped = true) };
}

/** Longer than a test, for a gateway pings. */
const LONGEST_SILENCE_MS = 120_000;
