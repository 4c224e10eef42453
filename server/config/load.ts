import { readFileSync } from 'node:fs';
import { schemaTree } from './describe.ts';
import {
  asFault,
  ConfigError,
  namedFaults,
  problemsOf,
  unknownKey,
  type Fault,
  type Problem,
} from './faults.ts';
import { fileProblems, type FileReaders } from './named-files.ts';
import { readConfigFile, type ReadBytes, type ReadFile } from './config-file.ts';
import { environmentToPartial, flagsToPartial, unknownVariables } from './flags.ts';
import type { FlagValues, Layer } from './flags.ts';
import { limitNotices } from './limit-notices.ts';
import { notYetInEffect } from './not-yet.ts';
import { profileNames, profiles } from './profiles.ts';
import { configVariable } from './serve-flags.ts';
import {
  configSchema,
  maxRateLimits,
  type Config,
  type ConfigInput,
  type RateLimitConfig,
} from './schema.ts';
import { maxUpstreams } from './pool-schema.ts';
import { isTree, overlay, protoPaths, treeOf, valueAt, type Tree } from './tree.ts';

export interface LoadOptions {
  /** Path of a YAML or JSON file; without it `--config`, then `WSLUICE_CONFIG`. */
  readonly file?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** commander's `opts()`. */
  readonly flags: FlagValues;
  readonly readFile?: ReadFile;
  readonly readBytes?: ReadBytes;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Sentences that a user should see: settings without effect, unknown variables. */
  readonly notices: readonly string[];
  /** The file that was read, or undefined when none was named. */
  readonly file: string | undefined;
  /** Where the settings came from, for the log: `wsluice.yaml, environment, flags`, or `defaults`. */
  readonly source: string;
}

/**
 * The configuration that defaults, profile, file, environment and flags add up to, the later ones over the earlier.
 * Throws a `ConfigError` with the faults of all of them.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const { file, env, flags, readFile = readUtf8, readBytes = readFileSync } = options;
  const path = file ?? textOf(flags['config']) ?? textOf(env[configVariable]);
  const fromFile = path === undefined ? { tree: {} } : readLayer(path, readFile);
  const environment = environmentToPartial(env);
  const flagLayer = flagsToPartial(flags);
  const layers = [{ tree: fromFile.tree, settings: [] }, environment, flagLayer];
  const config = combine(layers, { readFile, readBytes, unread: fromFile.faults ?? [] });
  const sources = [
    ...(path === undefined ? [] : [path]),
    ...(environment.settings.length > 0 ? ['environment'] : []),
    ...(flagLayer.settings.length > 0 ? ['flags'] : []),
  ];
  return {
    config,
    notices: [
      ...unknownVariables(env),
      ...unroutedMain(config, layers.slice(1)),
      ...notYetInEffect(config),
      ...limitNotices(config),
    ],
    file: path,
    source: sources.join(', ') || 'defaults',
  };
}

/** A complete configuration from one that leaves keys out; throws a `ConfigError` with its faults. */
export function completeConfig(input: ConfigInput): Config {
  const layers = [{ tree: input as Tree, settings: [] }];
  return combine(layers, { readFile: readUtf8, readBytes: readFileSync, unread: [] });
}

/**
 * The complete entries of a list of `rateLimits` that comes by itself, for routes of these paths.
 * Throws a `ConfigError` with its faults.
 */
export function completeRateLimits(list: unknown, paths: readonly string[]): readonly RateLimitConfig[] {
  // One too many is a fault; all that come after it need no look.
  const rateLimits: unknown = Array.isArray(list) ? list.slice(0, maxRateLimits + 1) : list;
  const layers = [
    { tree: { rateLimits, routes: paths.map((path) => ({ path, pool: 'main' })) }, settings: [] },
  ];
  return combine(layers, { readFile: readUtf8, readBytes: readFileSync, unread: [] }).rateLimits;
}

/** The `upstreams` of a pool, from a list that comes by itself. Throws a `ConfigError` with its faults. */
export function completeUpstreams(pool: string, list: unknown): readonly string[] {
  const upstreams: unknown = Array.isArray(list) ? list.slice(0, maxUpstreams + 1) : list;
  const tree = { pools: { [pool]: { upstreams } }, routes: [{ path: '/ws', pool }] };
  const layers = [{ tree, settings: [] }];
  const { pools } = combine(layers, { readFile: readUtf8, readBytes: readFileSync, unread: [] });
  return pools[pool]!.upstreams;
}

/** zod would write and compile code for each mapping of the schema, which takes longer than reading a few configurations without. */
const uncompiled = { jitless: true };

interface CombineOptions extends FileReaders {
  /** Faults that kept a layer from being read at all; rules are then left out, for want of half of the input. */
  readonly unread: readonly Fault[];
}

function combine(layers: readonly Layer[], { unread, ...readers }: CombineOptions): Config {
  const written = layers.reduce<Tree>((sum, { tree }) => overlay(sum, tree), {});
  const given = overlay(profileTree(written), written);
  const settings = layers.flatMap((layer) => layer.settings);
  const result = configSchema.safeParse(given, uncompiled);
  const ownFaults = layers.flatMap((layer) =>
    ownProblems(layer.tree).map((problem) => () => asFault(problem, layer.settings)),
  );
  const ruleFaults =
    unread.length > 0
      ? []
      : [...ruleProblems(result.error, given), ...fileProblems(given, readers)].map(
          (problem) => () => asFault(problem, settings),
        );
  const faults = namedFaults([...unread.map((fault) => () => fault), ...ownFaults, ...ruleFaults]);
  if (faults.length > 0) throw new ConfigError(faults);
  if (!result.success) throw new Error(`bug: a fault of no layer: ${result.error.message}`);
  return result.data;
}

/** What is wrong with the values of one layer, each by itself. */
function ownProblems(tree: Tree): Problem[] {
  const issues = configSchema.safeParse(tree, uncompiled).error?.issues ?? [];
  return [
    ...issues.filter((issue) => !isRule(issue)).flatMap((issue) => problemsOf(issue, tree, schemaTree())),
    ...protoPaths(tree).map((path) => unknownKey(path, schemaTree())),
  ];
}

/** What is wrong between values, which may come from different layers. */
function ruleProblems(error: ReturnType<typeof configSchema.safeParse>['error'], tree: Tree): Problem[] {
  return (error?.issues ?? []).filter(isRule).flatMap((issue) => problemsOf(issue, tree, schemaTree()));
}

function isRule(issue: {
  readonly code?: string;
  readonly params?: Record<string, unknown> | undefined;
}): boolean {
  return issue.params?.['rule'] === true;
}

function profileTree(written: Tree): Tree {
  const name = profileNames.find((known) => known === written['profile']);
  if (name === undefined) return {};
  const { pool, codec } = profiles[name];
  const pools = isTree(written['pools']) ? Object.keys(written['pools']) : ['main'];
  const trees = pools.map((key) => treeOf(['pools', key], pool));
  return [...trees, ...(codec === undefined ? [] : [{ codec }])].reduce<Tree>(overlay, {});
}

/** Flags describe the pool main; where the file routes elsewhere, they would describe it in vain. */
function unroutedMain(config: Config, layers: readonly Layer[]): string[] {
  const described = layers.some(({ tree }) => valueAt(tree, ['pools', 'main']) !== undefined);
  if (!described || config.routes.some(({ pool }) => pool === 'main')) return [];
  return ['flags or variables describe the pool main, to which no route leads; --path adds one'];
}

function readLayer(path: string, readFile: ReadFile): { tree: Tree; faults?: readonly Fault[] } {
  try {
    return { tree: readConfigFile(path, readFile) };
  } catch (error) {
    if (error instanceof ConfigError) return { tree: {}, faults: error.faults };
    throw error;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function readUtf8(path: string): string {
  return readFileSync(path, 'utf8');
}
