import { runServe } from './serve.ts';

export interface EchoOptions {
  readonly host: string;
  readonly port: string;
  readonly env: NodeJS.ProcessEnv;
}

/** `wsluice echo`: answers JSON-RPC requests with their params and sends every other message back, on `/`. Resolves to the exit code. */
export function runEcho({ host, port, env }: EchoOptions): Promise<number> {
  const level = env['WSLUICE_LOG_LEVEL'] ?? 'info';
  const flags = {
    host,
    port,
    path: '/',
    adminPort: '0',
    upstream: ['echo:'],
    mode: 'session',
    logLevel: level,
  };
  return runServe({ flags, env: {}, echoStyle: 'both' });
}
