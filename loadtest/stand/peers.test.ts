import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { haproxyConfig } from './haproxy-config.ts';
import { programFile } from './peers.ts';

it('finds a program in PATH, when it may be run', () => {
  const dir = mkdtempSync(join(tmpdir(), 'wsluice-peers-'));
  const file = join(dir, 'some-proxy');
  writeFileSync(file, '');
  expect(programFile('some-proxy', dir)).toBeUndefined();
  chmodSync(file, 0o755);
  expect(programFile('some-proxy', `/nowhere::${dir}`)).toBe(file);
  rmSync(dir, { recursive: true });
});

it('gives HAProxy one thread, and room for all clients', () => {
  const config = haproxyConfig({ port: 1, backendPort: 2, upstreamPath: '/haproxy', clients: 5_000 });
  expect(config).toContain('nbthread 1');
  expect(config.match(/maxconn 5100/g)).toHaveLength(2);
  expect(config).toContain('set-path /haproxy');
});
