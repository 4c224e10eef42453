import { reachable } from '../config/addresses.ts';
import { ConfigError } from '../config/faults.ts';
import { loadConfig } from '../config/load.ts';
import type { AdminTarget } from './admin-link.ts';

/** What the command line says of the gateway to look at. */
export interface TargetFlags {
  readonly admin?: string;
  readonly token?: string;
  readonly config?: string;
  readonly adminHost?: string;
  readonly adminPort?: string;
}

const tokenVariable = 'WSLUICE_ADMIN_TOKEN';

/**
 * The admin listener to look at: `--admin`, or where `serve` would open it with the same file, environment and flags. Gives the lines that
 * say what is wrong where that is not known.
 */
export function findTarget(flags: TargetFlags, env: NodeJS.ProcessEnv): AdminTarget | readonly string[] {
  const token = flags.token ?? (env[tokenVariable] || undefined);
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    return ['the token has characters that no token can have'];
  if (flags.admin !== undefined)
    return isHttp(flags.admin) ? { url: flags.admin, token } : [notHttp(flags.admin)];
  const { config, adminHost, adminPort } = flags;
  const withToken = token === undefined ? env : { ...env, [tokenVariable]: token };
  try {
    const { admin } = loadConfig({ env: withToken, flags: { config, adminHost, adminPort } }).config;
    if (admin.port === 0) return ['admin.port is 0, any free one: say with --admin where the gateway is'];
    return { url: `http://${reachable(admin.host)}:${admin.port}`, token: admin.token ?? undefined };
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

function notHttp(url: string): string {
  return `--admin: ${JSON.stringify(url)} is no address like http://127.0.0.1:8081`;
}
