import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const guardFile = new URL('./generator-exit.ts', import.meta.url).href;

/** What a process with the guard says and ends with. */
function run(work: string): { readonly said: string; readonly status: number | null } {
  const script = `
    import { exit } from 'node:process';
    import { guardExit } from '${guardFile}';
    const isOurs = (caller) => caller.includes('ours');
    const real = guardExit('made.js', (reason) => console.log(reason), isOurs);
    ${work}`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--experimental-strip-types',
      '--input-type=module',
      '-e',
      script,
    ],
    { encoding: 'utf8' },
  );
  return { said: stdout + stderr, status };
}

describe('a generator that ends the process', () => {
  it.each([
    ['process.exit(7)', 'process.exit(7)'],
    ['exit()', 'process.exit()'],
    ['setTimeout(() => process.exit(0), 1)', 'process.exit(0)'],
  ])('is told of, called as %s', (work, call) => {
    const { said, status } = run(work);
    expect(said).toBe(`the generator made.js called ${call}: it is to call done(error, data)\n`);
    expect(status).toBe(1);
  });

  it('is not taken for those that may', () => {
    expect(run('const ours = () => process.exit(3); ours();')).toEqual({ said: '', status: 3 });
    expect(run('real(4)')).toEqual({ said: '', status: 4 });
  });
});
