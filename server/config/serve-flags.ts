import { numberOrText, parseRateLimit, rateLimitForm } from './rate-limit-flag.ts';

/** A setting that the command line or the environment can give. */
export interface Flag {
  /** As typed: `--port`; undefined where only the environment may give it. */
  readonly name: string | undefined;
  readonly argument: string;
  readonly variable: string;
  /** The key that it sets. */
  readonly path: readonly string[];
  /** What splits a variable, or a flag that is not repeatable, into several texts. */
  readonly separator?: RegExp;
  readonly repeatable?: boolean;
  /** The value that goes to `path`, unchecked. */
  readonly value: (texts: readonly string[]) => unknown;
  readonly form?: string;
  readonly description?: string;
}

const asNumber = ([text = '']: readonly string[]): unknown => numberOrText(text);
const asText = ([text]: readonly string[]): unknown => text;
const asList = (texts: readonly string[]): unknown => texts;

const listenFlags: readonly Flag[] = [
  {
    name: '--host',
    argument: '<address>',
    variable: 'WSLUICE_HOST',
    path: ['listen', 'host'],
    value: asText,
  },
  { name: '--port', argument: '<n>', variable: 'WSLUICE_PORT', path: ['listen', 'port'], value: asNumber },
  {
    name: '--path',
    argument: '<path>',
    variable: 'WSLUICE_PATH',
    path: ['routes'],
    value: ([path]) => [{ path, pool: 'main' }],
    description:
      'Path that clients connect to; replaces all routes by this one to the pool main. (default: /ws)',
  },
  {
    name: '--admin-host',
    argument: '<address>',
    variable: 'WSLUICE_ADMIN_HOST',
    path: ['admin', 'host'],
    value: asText,
  },
  {
    name: '--admin-port',
    argument: '<n>',
    variable: 'WSLUICE_ADMIN_PORT',
    path: ['admin', 'port'],
    value: asNumber,
  },
  { name: undefined, argument: '', variable: 'WSLUICE_ADMIN_TOKEN', path: ['admin', 'token'], value: asText },
];

const poolFlags: readonly Flag[] = [
  {
    name: '--upstream',
    argument: '<url>',
    variable: 'WSLUICE_UPSTREAMS',
    path: ['pools', 'main', 'upstreams'],
    separator: /,/,
    repeatable: true,
    value: asList,
    description:
      'A backend: ws://, wss://, ws+unix: or echo:, which is embedded; repeatable. (default: echo:)',
  },
  {
    name: '--mode',
    argument: '<mode>',
    variable: 'WSLUICE_MODE',
    path: ['pools', 'main', 'mode'],
    value: asText,
  },
  {
    name: '--balance',
    argument: '<how>',
    variable: 'WSLUICE_BALANCE',
    path: ['pools', 'main', 'balance'],
    value: asText,
  },
  {
    name: '--min-connections',
    argument: '<n>',
    variable: 'WSLUICE_MIN_CONNECTIONS',
    path: ['pools', 'main', 'minConnections'],
    value: asNumber,
  },
  {
    name: '--max-connections',
    argument: '<n>',
    variable: 'WSLUICE_MAX_CONNECTIONS',
    path: ['pools', 'main', 'maxConnections'],
    value: asNumber,
  },
];

const otherFlags: readonly Flag[] = [
  {
    name: '--rate-limit',
    argument: '<limit>',
    variable: 'WSLUICE_RATE_LIMITS',
    path: ['rateLimits'],
    separator: /[\s;]+/,
    repeatable: true,
    value: (texts) => texts.map((text) => parseRateLimit(text) ?? text),
    form: rateLimitForm,
    description: `A limit on requests: ${rateLimitForm}; repeatable. (default: none)`,
  },
  {
    name: '--codec',
    argument: '<list>',
    variable: 'WSLUICE_CODEC',
    path: ['codec', 'offer'],
    separator: /,/,
    value: asList,
  },
  { name: '--redis', argument: '<url>', variable: 'WSLUICE_REDIS', path: ['redis', 'url'], value: asText },
  {
    name: '--workers',
    argument: '<n|auto>',
    variable: 'WSLUICE_WORKERS',
    path: ['workers'],
    value: asNumber,
  },
  { name: '--profile', argument: '<name>', variable: 'WSLUICE_PROFILE', path: ['profile'], value: asText },
  {
    name: '--log-level',
    argument: '<level>',
    variable: 'WSLUICE_LOG_LEVEL',
    path: ['log', 'level'],
    value: asText,
  },
];

/** Every setting that flags and variables can give; `--config` is not one, it says where the others are. */
export const serveFlags: readonly Flag[] = [...listenFlags, ...poolFlags, ...otherFlags];

/** What `--config` does. */
export const configFlagDescription = 'YAML or JSON file; every setting has a key in it';
/** The variable that stands for `--config`. */
export const configVariable = 'WSLUICE_CONFIG';
