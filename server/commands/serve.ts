import { ConfigError } from '../config/faults.ts';
import type { FlagValues } from '../config/flags.ts';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Gateway } from '../gateway.ts';
import type { EchoStyle } from '../../pool/modes/echo.ts';
import { createLog, type Log } from '../log.ts';
import { reload } from './reload.ts';

export interface ServeOptions {
  readonly flags: FlagValues;
  readonly env: NodeJS.ProcessEnv;
  readonly echoStyle?: EchoStyle;
}

/** Signals closer together than this are one: npm passes on what the terminal has sent to the whole process group. */
const sameSignalMs = 50;

const lingerMs = 500;

/** `wsluice serve`: runs until a signal. Resolves to the exit code: 0 after a drain, 1 when it could not start. */
export async function runServe({ flags, env, echoStyle }: ServeOptions): Promise<number> {
  const loaded = loadOrExplain(flags, env);
  if (loaded === undefined) return 1;
  const { config, notices, source } = loaded;
  const log = createLog(config.log.level, { isTerminal: process.stdout.isTTY });
  for (const notice of notices) log.warn(notice);
  const signals = new Signals(log);
  let gateway: Gateway;
  try {
    // Loaded late: check and --help work where the engine has no binary.
    const { createGateway } = await import('../gateway.ts');
    gateway = await createGateway({ config, log, ...(echoStyle === undefined ? {} : { echoStyle }) });
  } catch (error) {
    if (!isStartFault(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
  announce(log, config, gateway, source);
  return signals.serve(gateway, () =>
    reload({
      running: config,
      load: () => loadConfig({ env, flags }),
      apply: (rateLimits) => gateway.applyLimits(rateLimits),
      log,
    }),
  );
}

function loadOrExplain(flags: FlagValues, env: NodeJS.ProcessEnv): LoadedConfig | undefined {
  try {
    return loadConfig({ env, flags });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.lines) process.stderr.write(`${line}\n`);
    return undefined;
  }
}

/** A fault of the surroundings, which its message explains; anything else is a bug and keeps its stack. */
function isStartFault(error: unknown): error is Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'WSLUICE_LISTEN' || code === 'WSLUICE_ENGINE' || code === 'WSLUICE_TLS';
}

function announce(log: Log, { listen, admin, routes }: Config, gateway: Gateway, source: string): void {
  const scheme = listen.tls === null ? 'ws' : 'wss';
  const host = reachable(listen.host);
  const connect = `${scheme}://${host}:${gateway.port}${routes[0]!.path}`;
  const adminUrl = `http://${reachable(admin.host)}:${gateway.adminPort}`;
  const tryIt = `npx wscat ${listen.tls === null ? '' : '--no-check '}-c ${connect}`;
  log.info({ connect, admin: adminUrl, config: source, tryIt }, 'wsluice is ready');
}

/** An address to connect to, where the listener takes them all. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

/**
 * The first SIGTERM or SIGINT drains, a second one stops at once; before there is anything to drain the first one does.
 * SIGHUP reloads, as soon as there is something to reload.
 */
class Signals {
  readonly #log: Log;
  #gateway: Gateway | undefined;
  #reload: (() => void) | undefined;
  #reloadIsDue = false;
  #firstAtMs: number | undefined;
  #onDrained: (exitCode: number) => void = () => undefined;

  constructor(log: Log) {
    this.#log = log;
    process.on('SIGTERM', this.#onSignal);
    process.on('SIGINT', this.#onSignal);
    process.on('SIGHUP', this.#onHangUp);
  }

  /** Lets signals drain and reload this gateway. Resolves to the exit code when it has drained. */
  serve(gateway: Gateway, onReload: () => void): Promise<number> {
    this.#gateway = gateway;
    this.#reload = onReload;
    if (this.#reloadIsDue) onReload();
    return new Promise((resolve) => (this.#onDrained = resolve));
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (this.#gateway === undefined) process.exit(0);
    if (this.#firstAtMs === undefined) {
      this.#firstAtMs = nowMs;
      void this.#drain(this.#gateway, signal);
    } else if (nowMs - this.#firstAtMs > sameSignalMs) {
      this.#log.warn({ signal }, 'stopped at once');
      process.exit(1);
    }
  };

  readonly #onHangUp = (): void => {
    if (this.#firstAtMs !== undefined) this.#log.info('nothing is reloaded during a drain');
    else if (this.#reload === undefined) this.#reloadIsDue = true;
    else this.#reload();
  };

  async #drain(gateway: Gateway, signal: NodeJS.Signals): Promise<void> {
    this.#log.info(
      { signal },
      'draining: no new clients, replies in flight are delivered; a second signal stops at once',
    );
    await gateway.drain();
    this.#log.info('drained');
    // Goodbyes to upstreams are on their way; nobody waits for an upstream that does not answer them.
    setTimeout(() => process.exit(0), lingerMs).unref();
    this.#onDrained(0);
  }
}
