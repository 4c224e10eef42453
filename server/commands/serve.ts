import { reachable } from '../config/addresses.ts';
import { ConfigError } from '../config/faults.ts';
import type { FlagValues } from '../config/flags.ts';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Gateway } from '../gateway.ts';
import type { EchoStyle } from '../../pool/modes/echo.ts';
import { withinOpenFiles } from '../doctor/within-open-files.ts';
import { createLog, createTerminalLog, type Log } from '../log.ts';
import { reload } from './reload.ts';
import { Signals } from './signals.ts';

export interface ServeOptions {
  readonly flags: FlagValues;
  readonly env: NodeJS.ProcessEnv;
  readonly echoStyle?: EchoStyle;
}

/** `wsluice serve`: runs until a signal. Resolves to the exit code: 0 after a drain, 1 when it could not start. */
export async function runServe({ flags, env, echoStyle }: ServeOptions): Promise<number> {
  const loaded = loadOrExplain(flags, env);
  if (loaded === undefined) return 1;
  const { config, notices, source } = loaded;
  const { level } = config.log;
  const log = process.stdout.isTTY ? await createTerminalLog(level) : createLog(level);
  for (const notice of notices) log.warn({ notice }, 'a note on the configuration');
  const signals = new Signals(log);
  let gateway: Gateway;
  try {
    // Loaded late: faults of the configuration are told sooner, and where the engine has no binary.
    const { createGateway } = await import('../gateway.ts');
    gateway = await createGateway({
      config: withinOpenFiles(config, log),
      log,
      onDrainRequest: () => signals.drain(),
      ...(echoStyle === undefined ? {} : { echoStyle }),
    });
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
      pools: gateway.pools,
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
