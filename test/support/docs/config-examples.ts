import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { describe as rowsOf, schemaTree } from '../../../server/config/describe.ts';
import { loadConfig, type LoadedConfig } from '../../../server/config/load.ts';
import { selfSignedCertificate, type Certificate } from '../certificate.ts';
import type { Fence, Page } from './page.ts';

const root = resolve(import.meta.dirname, '../../..');

/** Every key of the configuration and every section; those of a pool are named from the pool on, as pages do. */
const keys: ReadonlySet<string> = new Set([
  'pools',
  ...rowsOf(schemaTree()).flatMap(({ key }) => {
    const parts = key
      .replaceAll('[]', '')
      .replace(/^pools\.<name>\./, '')
      .split('.');
    return parts.map((_, n) => parts.slice(0, n + 1).join('.'));
  }),
]);
const sections = new Set(rowsOf(schemaTree()).map(({ key }) => key.split(/[.[]/, 1)[0]!));

/** The dictionaries and certificates that examples name; any will do. */
const filesThere = /\.(zst|pem)$/;

/**
 * Loads the configuration that a `yaml` block is, or is a part of: keys of a pool belong to a pool in request mode.
 * Undefined for what is none of this program's. Throws with the faults.
 */
export function loadExample({ text }: Fence): LoadedConfig | undefined {
  const tree = parse(text) as Record<string, unknown> | null;
  const names = Object.keys(tree ?? {});
  if (names.length === 0 || !names.every((name) => keys.has(name))) return undefined;
  const isWhole = names.every((name) => sections.has(name));
  const whole = isWhole ? text : JSON.stringify({ pools: { main: { mode: 'request', ...tree } } });
  let dictionaries = 0;
  return loadConfig({
    file: 'example.yaml',
    env: {},
    flags: {},
    readFile: (path) => (filesThere.test(path) ? pemOf(path) : whole),
    readBytes: () => dictionaryWithId(1_001 + dictionaries++),
  });
}

/** Settings that a page names in code, in full or from the pool on, and that there are not. */
export function unknownKeys({ prose }: Page): string[] {
  const named = [...prose.matchAll(/`([a-z][A-Za-z]+(?:\.[a-z<>][A-Za-z<>]*)+)(?:: [^`]*)?`/g)].map(
    ([, name]) => name!.replace(/^pools\.(?:<name>|main)\./, ''),
  );
  return named.filter((name) => keys.has(name.split('.', 1)[0]!) && !keys.has(name) && !name.includes('<'));
}

let certificate: Certificate | undefined;

function pemOf(path: string): string {
  certificate ??= selfSignedCertificate();
  return path.includes('key') ? certificate.key : certificate.cert;
}

function dictionaryWithId(id: number): Buffer {
  const dictionary = readFileSync(join(root, 'loadtest/corpus/dictionary.zst'));
  dictionary.writeUInt32LE(id, 4);
  return dictionary;
}
