import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const source = JSON.stringify(new URL('./log.ts', import.meta.url).href);

/** What a process prints that logs these calls. */
function printed(level: string, isTerminal: boolean, calls: string): string[] {
  const create = isTerminal ? 'await logs.createTerminalLog' : 'logs.createLog';
  const script = `import * as logs from ${source}; const log = ${create}('${level}'); ${calls}`;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script];
  return execFileSync(process.execPath, flags, { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '');
}

describe('the log', () => {
  it('is one JSON object a line, with an ISO time, even when data tries to forge a line', () => {
    const forged = 'x\\n{"level":60,"msg":"forged"}\\u2028';
    const lines = printed(
      'info',
      false,
      `log.info({ upstream: '${forged}' }, 'upstream opened'); log.warn('second');`,
    );
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.map(({ msg }) => msg)).toEqual(['upstream opened', 'second']);
    expect(records[0]!['upstream']).toContain('forged');
    expect(records[0]!['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(records[0]).not.toHaveProperty('hostname');
  });

  it('leaves out what is below its level', () => {
    const lines = printed(
      'warn',
      false,
      `log.info('no'); log.debug('no'); log.warn('yes'); log.error('yes');`,
    );
    expect(lines).toHaveLength(2);
  });

  it('is readable text on a terminal', () => {
    const [line] = printed(
      'info',
      true,
      `log.info({ connect: 'ws://localhost:8080/ws' }, 'wsluice is ready');`,
    );
    expect(line).toContain('wsluice is ready');
    expect(() => JSON.parse(line!) as unknown).toThrow();
  });
});
