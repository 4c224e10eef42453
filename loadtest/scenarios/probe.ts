import { shakeHands } from '../engine/handshake.ts';

const timeoutMs = 10_000;

/**
 * Opens one connection to the address as the engine's clients do, and closes it; throws with the reason where that cannot be done. It says nothing:
 * what a server has to understand, the scenario alone knows.
 */
export async function probe(url: string): Promise<void> {
  const plain = { subprotocols: [], headers: {}, codec: undefined, protocolVersion: 13, insecure: false };
  const shaken = await shakeHands({ url, timeoutMs, ...plain });
  if (shaken.failure !== undefined) throw new Error(`${url} cannot be used: ${shaken.failure.message}`);
  shaken.socket.terminate();
}
