import { OPCODE, RawClient, clientFrame, upgradeRequest } from './raw-client.ts';

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
/** More than any time-out of a gateway under test. */
const LONGEST_HANDSHAKE_MS = 20_000;

/** Connects and upgrades; undefined when the upgrade is refused. */
export async function tryUpgrade(port: number, path: string): Promise<RawClient | undefined> {
  const client = await RawClient.connect(port);
  client.send(upgradeRequest(port, { path }));
  const { status } = await client.answer(LONGEST_HANDSHAKE_MS);
  if (status === 101) return client;
  client.destroy();
  return undefined;
}
