import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { TelemetryLine } from '../engine/telemetry-line.ts';
import { ArtilleryRun, whyFailed, type ArtilleryEnd } from './run.ts';

/** Runs a program in artillery's place. */
async function run(source: string): Promise<{ end: ArtilleryEnd; lines: TelemetryLine[] }> {
  const dir = mkdtempSync(join(tmpdir(), 'wsluice-unit-'));
  const program = join(dir, 'artillery.mjs');
  writeFileSync(program, `import { writeSync } from 'node:fs';\n${source}`);
  const lines: TelemetryLine[] = [];
  const end = await new ArtilleryRun({ program, file: 'x.json', onTelemetry: (line) => lines.push(line) })
    .ended;
  rmSync(dir, { recursive: true });
  return { end, lines };
}

it('reads telemetry from the open file that it names', async () => {
  const { end, lines } = await run(
    `writeSync(Number(process.env.WSLUICE_TELEMETRY_FD), '{"type":"second","worker":"1:1"}\\n');`,
  );
  expect(lines).toMatchObject([{ worker: '1:1' }]);
  expect(whyFailed(end)).toBeUndefined();
});

it("tells an artillery that fails in artillery's own words", async () => {
  const { end } = await run(`console.log('Test run id: x\\nError: no such phase'); process.exit(11);`);
  expect(whyFailed(end)).toBe('artillery ended with 11\nError: no such phase');
});

it('tells a scenario that makes no sense to the engine', async () => {
  const { end } = await run(`writeSync(3, '{"type":"fault","message":"flow[0]: nonsense"}\\n');`);
  expect(whyFailed(end)).toBe('flow[0]: nonsense');
});
