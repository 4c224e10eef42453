import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { limitsOf, madeUpMachine, silentMachine } from '../doctor/machine.fixture.ts';
import type { Runtime } from '../doctor/runtime.ts';
import { runDoctor, type DoctorOptions } from './doctor.ts';

const runtime: Runtime = {
  node: '22.18.0',
  engine: 'engine 1.2.3',
  engineProblem: undefined,
  heapLimitBytes: 4 * 2 ** 30,
};

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function doctor(options: Partial<DoctorOptions> = {}): Result {
  let [out, err] = ['', ''];
  const stdout = { write: (chunk: string) => (out += chunk) };
  const stderr = { write: (chunk: string) => (err += chunk) };
  const common = { flags: {}, env: {}, json: false, runtime, files: madeUpMachine(), stdout, stderr };
  return { code: runDoctor({ ...common, ...options }), out, err };
}

const few = madeUpMachine({ 'proc/self/limits': limitsOf('20000') });
const session = { upstream: ['ws://10.0.0.1:9001'], maxConnections: '16000' };

it('prints a table and the verdict, and returns 0 when the clients fit', () => {
  const { code, out, err } = doctor();
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^Node 22\.18\.0; .*engine 1\.2\.3.*; configuration: defaults\n/);
  expect(out).toMatch(/^fs\.file-max +no limit +-  /m);
  expect(out.trimEnd().split('\n').at(-1)).toMatch(
    /^This machine can hold [\d,]+ connections; listen\.maxConnections is 16,000: fits\.$/,
  );
  expect(out).not.toContain('To change');
});

it('says which limit comes first and what changes it, and returns 1 when they do not fit', () => {
  const { code, out } = doctor({ files: few, flags: session });
  expect(code).toBe(1);
  expect(out).toMatch(/^ulimit -n +20,000 +9,500 +<- comes first; /m);
  expect(out).toMatch(/^ {2}ulimit -n 33792 +# /m);
  expect(out).toMatch(/^ {2}LimitNOFILE=33792 +# /m);
  expect(out.trimEnd().split('\n').at(-1)).toBe(
    'This machine can hold 9,500 connections, by ulimit -n; listen.maxConnections is 16,000: does not fit.',
  );
});

it('goes by file, environment and flags, as serve does', () => {
  const file = join(tempDir(), 'w.yaml');
  writeFileSync(file, 'listen: { maxConnections: 9000 }');
  expect(doctor({ files: few, flags: { ...session, config: file } }).code).toBe(0);
  expect(doctor({ files: few, flags: session, env: { WSLUICE_CONFIG: file } }).code).toBe(0);
});

describe('--json', () => {
  it('says the same', () => {
    const { code, out } = doctor({ files: few, flags: session, json: true });
    expect(code).toBe(1);
    const report = JSON.parse(out) as { limits: { name: string }[] };
    expect(report).toMatchObject({
      fits: false,
      holds: 9_500,
      maxConnections: 16_000,
      bindsFirst: 'nofile',
      perClient: { files: 2, tcp: 2 },
      node: '22.18.0',
      engine: 'engine 1.2.3',
      engineProblem: null,
    });
    expect(report.limits.find(({ name }) => name === 'nofile')).toMatchObject({
      value: 20_000,
      clients: 9_500,
      changes: [{ line: 'ulimit -n 33792' }, { line: 'LimitNOFILE=33792' }],
    });
    expect(report.limits.find(({ name }) => name === 'somaxconn')).toMatchObject({
      value: 4_096,
      clients: null,
    });
  });

  it('has null for what is unknown', () => {
    const report = JSON.parse(doctor({ files: silentMachine(), json: true }).out) as {
      limits: { name: string }[];
    };
    expect(report.limits.find(({ name }) => name === 'nofile')).toMatchObject({ value: null, clients: null });
  });

  it('names the faults of a configuration', () => {
    const { code, out } = doctor({ flags: { port: 'x' }, json: true });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({ fits: false, faults: [expect.stringMatching(/^--port x: /)] });
  });

  it('says that there is no such process', () => {
    const { code, out, err } = doctor({ pid: 'x', json: true });
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(JSON.parse(out)).toEqual({ fits: false, faults: ['--pid x: no such process'] });
  });
});

it('writes every fault of a configuration on a line of its own and returns 1', () => {
  const { code, out, err } = doctor({ flags: { port: 'x', mode: 'y' } });
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err.trimEnd().split('\n')).toHaveLength(2);
});

it('returns 1 where the engine does not load, and says so last', () => {
  const { code, out } = doctor({ runtime: { ...runtime, engineProblem: 'no binary' } });
  expect(code).toBe(1);
  expect(out).toContain('\nThe gateway cannot start here: no binary\n');
});

it('looks at the limits of another process, which must be there', () => {
  const files = madeUpMachine({ 'proc/77/limits': limitsOf('300') });
  expect(doctor({ files, pid: '77' }).out).toContain('can hold 200 connections');
  for (const pid of ['78', '../1', 'self/../77', '']) {
    expect(doctor({ files, pid })).toMatchObject({
      code: 1,
      out: '',
      err: `--pid ${pid}: no such process\n`,
    });
  }
});
