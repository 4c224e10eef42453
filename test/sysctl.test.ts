import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHECKOUT } from './support/gateway.ts';

interface Setting {
  readonly key: string;
  readonly value: string;
  /** The kernel may do without it. */
  readonly optional: boolean;
  /** It is there to be switched on when needed. */
  readonly off: boolean;
  /** The comment above it. */
  readonly comment: string;
}

const folder = join(CHECKOUT, 'sysctl');
const paragraphs = readFileSync(join(folder, '99-wsluice.conf'), 'utf8').split('\n\n');
const settings = paragraphs.flatMap((paragraph): Setting[] => {
  const lines = paragraph.trim().split('\n');
  const form = /^(# )?(-?)([a-z]+(?:\.[a-z0-9_]+)+) = (.+)$/;
  return lines.flatMap((line) => {
    const [, off, optional, key = '', value = ''] = form.exec(line) ?? [];
    if (key === '') return [];
    const comment = lines.filter((other) => other !== line).join('\n');
    return [{ key, value, optional: optional === '-', off: off !== undefined, comment }];
  });
});

const file = (key: string): string => `/proc/sys/${key.replaceAll('.', '/')}`;
/** Settings that a network namespace has for itself, so that a test may change them. */
const namespaced = settings.filter(({ key }) => /^net\.ipv4\.(?!tcp_mem$)|^net\.core\.somaxconn$/.test(key));
const mayUnshare = spawnSync('unshare', ['--net', 'true']).status === 0;

describe('99-wsluice.conf', () => {
  it('has the settings that matter, each once', () => {
    expect(settings.filter(({ off }) => !off).length).toBeGreaterThanOrEqual(8);
    expect(new Set(settings.map(({ key }) => key)).size).toBe(settings.length);
  });

  it.each(settings)('says why $key is set, and what it does to the number of connections', ({ comment }) => {
    expect(comment).toMatch(/^# (.*\n# )*?Reason: \S/m);
    expect(comment).toMatch(/^# Connections: \S/m);
  });

  it.each(settings.filter(({ optional }) => !optional))(
    'sets what this kernel has: $key',
    ({ key, value }) => {
      const now = readFileSync(file(key), 'utf8').trim().split(/\s+/);
      expect(value.split(' ')).toHaveLength(now.length);
      expect(value).toMatch(/^\d+( \d+)*$/);
    },
  );

  it('marks what kernels may do without', () => {
    const missing = settings.filter(({ key, optional }) => !optional && !existsSync(file(key)));
    expect(missing).toEqual([]);
    // A module that is not loaded, and a setting younger than some kernels in use.
    expect(settings.filter(({ optional }) => optional).map(({ key }) => key)).toEqual([
      'net.netfilter.nf_conntrack_max',
      'net.ipv4.tcp_migrate_req',
    ]);
  });

  it.skipIf(!mayUnshare)('has values that this kernel takes', () => {
    const wanted = namespaced.filter(({ key, off }) => !off && existsSync(file(key)));
    expect(wanted.length).toBeGreaterThanOrEqual(5);
    const script = wanted
      .map(({ key, value }) => `echo ${value} > ${file(key)} && cat ${file(key)}`)
      .join(' && ');
    const { status, stdout, stderr } = spawnSync('unshare', ['--net', 'sh', '-c', script], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.replaceAll('\t', ' ')),
    ).toEqual(wanted.map(({ value }) => value));
  });
});

it('limits.conf has lines that pam_limits takes, and the number of the unit', () => {
  const text = readFileSync(join(folder, 'limits.conf'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines.map((line) => line.split(/\s+/))).toEqual([
    ['wsluice', 'soft', 'nofile', '1048576'],
    ['wsluice', 'hard', 'nofile', '1048576'],
  ]);
  expect(readFileSync(join(folder, 'wsluice@.service'), 'utf8')).toContain('\nLimitNOFILE=1048576\n');
});
