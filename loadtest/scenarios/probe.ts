import { WebSocket } from 'ws';
import { failureOf } from '../engine/failure.ts';
import { kinds } from '../result/failure-kinds.ts';

const probeTimeoutMs = 10_000;

/** Opens one connection to the address and closes it; throws with the reason where that cannot be done. */
export async function probe(url: string): Promise<void> {
  const socket = new WebSocket(url, { handshakeTimeout: probeTimeoutMs, perMessageDeflate: false });
  const fault = await new Promise<string | undefined>((resolve) => {
    socket.once('open', () => resolve(undefined));
    socket.once('unexpected-response', (_request, answer) => resolve(kinds.status(answer.statusCode ?? 0)));
    socket.on('error', (error) => resolve(told(error)));
  });
  socket.terminate();
  if (fault !== undefined) throw new Error(`${url} cannot be used: ${fault}`);
}

function told(error: Error): string {
  const { kind } = failureOf(error);
  return kind === error.message || error.message === '' ? kind : `${kind} (${error.message})`;
}
