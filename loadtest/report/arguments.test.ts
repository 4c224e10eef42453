import { describe, expect, it } from 'vitest';
import { parseReportOrder } from './arguments.ts';

describe('parseReportOrder', () => {
  it('names the report after its runs, in the folder of the last', () => {
    expect(parseReportOrder(['runs/a.json'])!.outFile).toBe('runs/a.html');
    expect(parseReportOrder(['old/a.json', 'new/b.json'])!.outFile).toBe('new/b-against-a.html');
    expect(parseReportOrder(['a', '--out', 'x.html'])).toEqual({ files: ['a'], outFile: 'x.html' });
    expect(parseReportOrder(['--help'])).toBeUndefined();
  });

  it('never replaces a run', () => {
    expect(() => parseReportOrder(['a.json', '--out', './a.json'])).toThrow(/would replace a\.json/);
  });

  it('says what is wrong', () => {
    expect(() => parseReportOrder([])).toThrow(/^which run\?/);
    expect(() => parseReportOrder(['a', 'b', 'c'])).toThrow(/not 3/);
    expect(() => parseReportOrder(['--nope'])).toThrow(/--nope/);
  });
});
