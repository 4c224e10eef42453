import { readFileSync } from 'node:fs';

/** The version of this package; 'unknown' where its package.json is not to be found. */
export const packageVersion = readVersion();

/** package.json is one folder up in a checkout and two in the published package. */
function readVersion(): string {
  for (const relative of ['../package.json', '../../package.json']) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(relative, import.meta.url), 'utf8')) as {
        version?: string;
      };
      if (version !== undefined) return version;
    } catch {
      // Not here: the other place.
    }
  }
  return 'unknown';
}
