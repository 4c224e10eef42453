import { expect, test } from 'vitest';
import { runChecks } from './checks.ts';
import { runCommand } from './command.ts';

test('runs every check, also after a failed one, and shows what the failed one said', async () => {
  const lines: string[] = [];
  const tally = await runChecks(
    [
      { name: 'broken', command: ['node', '-e', 'console.error("line 3 is wrong"); process.exit(2)'] },
      { name: 'absent', command: ['wsluice-no-such-program'] },
      { name: 'clean', command: ['node', '-e', 'console.log("not of interest")'] },
    ],
    { lanes: 1, say: (line) => lines.push(line) },
  );
  expect(tally).toMatchObject({ passed: 1, failed: 2, faults: ['broken', 'absent'] });
  expect(lines[0]).toMatch(/✗ broken {2}[\d.]+ s\n {6}line 3 is wrong$/);
  expect(lines[1]).toContain('ENOENT');
  expect(lines[2]).toMatch(/✓ clean {2}[\d.]+ s$/);
});

test('ends a check that overstays', async () => {
  const result = await runCommand(['sleep', '60'], { timeoutMs: 50 });
  expect(result).toMatchObject({ ok: false });
  expect(result.output).toContain('ended by SIGTERM');
});
