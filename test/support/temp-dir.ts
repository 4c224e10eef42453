import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTearDown } from './tear-down.ts';

/** A fresh directory that is removed when the test file ends. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'wsluice-test-'));
  onTearDown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
