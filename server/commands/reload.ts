import { differingKeys } from '../config/differing-keys.ts';
import { ConfigError } from '../config/faults.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Config, RateLimitConfig } from '../config/schema.ts';
import { errorFields } from '../error-fields.ts';
import type { Log } from '../log.ts';
import { reloadUpstreams, type UpstreamsControl } from './reload-upstreams.ts';

export interface ReloadOptions {
  /** What the gateway was started with. */
  readonly running: Config;
  /** Reads everything again, as the start did. */
  readonly load: () => LoadedConfig;
  readonly apply: (rateLimits: readonly RateLimitConfig[]) => void;
  readonly pools: UpstreamsControl;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
}

/**
 * Rereads the configuration and puts its rate limits and the upstreams of its pools in force; says what else has changed and needs a restart.
 * Changes nothing when there is a fault; every outcome is logged, and nothing is thrown.
 */
export function reload({ running, load, apply, pools: control, log }: ReloadOptions): void {
  const loaded = loadOrLog(load, log);
  if (loaded === undefined) return;
  if (loaded.file === undefined) {
    log.info('no configuration file to reread; flags and environment stay as they are');
    return;
  }
  const { rateLimits, ...others } = loaded.config;
  let pools;
  try {
    apply(rateLimits);
    pools = reloadUpstreams(others.pools, running.pools, control);
  } catch (error) {
    log.error({ err: errorFields(error) }, 'not all could be reloaded');
    return;
  }
  for (const notice of loaded.notices) log.warn({ notice }, 'a note on the configuration');
  const keys = differingKeys({ ...others, pools }, { ...running, rateLimits: undefined });
  if (keys.length > 0) log.warn({ keys }, 'other settings have changed too; they need a restart');
  log.info({ limits: rateLimits.length, config: loaded.source }, 'rate limits reloaded');
}

function loadOrLog(load: () => LoadedConfig, log: ReloadOptions['log']): LoadedConfig | undefined {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigError)) log.error({ err: errorFields(error) }, 'configuration not reread');
    else
      for (const fault of error.lines)
        log.error({ fault }, 'nothing is reloaded: the configuration has a fault');
    return undefined;
  }
}
