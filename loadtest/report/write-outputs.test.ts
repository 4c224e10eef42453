import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { environment } from '../result/environment.ts';
import { emptyResult, parseRunResult } from '../result/run-result.ts';
import { checkOutputs, tellOutputs, writeOutputs } from './write-outputs.ts';

const result = emptyResult({
  kind: 'scale',
  title: 'a <b>run</b>',
  command: 'npm run scale',
  environment: environment('loopback'),
  target: 'ws://127.0.0.1:1/ws',
  settings: { connections: 10 },
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wsluice-outputs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('writeOutputs', () => {
  it('writes JSON that can be read back, and a report that shows text as text', () => {
    const [jsonFile, reportFile] = [join(folder, 'a.json'), join(folder, 'a.html')];
    expect(writeOutputs(result, { jsonFile, reportFile })).toEqual([jsonFile, reportFile]);
    expect(parseRunResult(readFileSync(jsonFile, 'utf8'))).toEqual(result);
    const html = readFileSync(reportFile, 'utf8');
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toContain('<b>run');
  });

  it('writes what can be written before it says what cannot', () => {
    const reportFile = join(folder, 'a.html');
    expect(() => writeOutputs(result, { jsonFile: folder, reportFile })).toThrow(`cannot write ${folder}`);
    expect(readFileSync(reportFile, 'utf8')).toContain('run');
  });

  it('writes nothing when nothing was asked for', () => {
    expect(writeOutputs(result, {})).toEqual([]);
  });
});

it('tells what was written, and is false where something could not be', () => {
  const [told, complained] = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')];
  for (const spy of [told, complained]) spy.mockImplementation(() => undefined);
  const jsonFile = join(folder, 'a.json');
  expect(tellOutputs('scale', result, { jsonFile })).toBe(true);
  expect(told).toHaveBeenCalledWith(`written: ${jsonFile}`);
  expect(tellOutputs('scale', result, { jsonFile: folder })).toBe(false);
  expect(complained).toHaveBeenCalledWith(expect.stringMatching(/^scale: cannot write/));
  vi.restoreAllMocks();
});

describe('checkOutputs', () => {
  it('is content with files that can be written, new ones and old ones', () => {
    const jsonFile = join(folder, 'a.json');
    checkOutputs({ jsonFile, reportFile: join(folder, 'a.html') });
    expect(readdirSync(folder)).toEqual([]);
    writeOutputs(result, { jsonFile });
    checkOutputs({ jsonFile });
    checkOutputs({});
  });

  it('says which flag is wrong, and why', () => {
    expect(() => checkOutputs({ jsonFile: join(folder, 'none', 'a.json') })).toThrow(
      /^--json .* there is no folder .*none; make it first$/,
    );
    expect(() => checkOutputs({ reportFile: folder })).toThrow(/^--report .* is a folder/);
    const file = join(folder, 'a');
    expect(() => checkOutputs({ jsonFile: file, reportFile: `${folder}/./a` })).toThrow(/the same file/);
    expect(() => checkOutputs({ jsonFile: '/proc/none.json' })).toThrow(/^--json: cannot write/);
  });
});
