import { connect } from 'node:net';

const longestAnswerMs = 250;

/**
 * True when something answers at a host and port already: asked before a listener of the engine opens there, for it shares the port
 * of another one without a word. A process that is too busy to answer in a quarter of a second is not noticed.
 */
export function answersAt(host: string, port: number): Promise<boolean> {
  if (port === 0) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect({ host: reachable(host), port, timeout: longestAnswerMs });
    const end = (answered: boolean) => (): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', end(true));
    socket.once('error', end(false));
    socket.once('timeout', end(false));
  });
}

/** Where a listener on all addresses is found. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
