import { describe, expect, it } from 'vitest';
import type { SchemaNode } from './describe.ts';
import { fault, namedFaults, unknownKey, type Fault } from './faults.ts';

const countedFindings = (count: number) => {
  const made: number[] = [];
  const findings = Array.from({ length: count }, (_, index) => (): Fault => {
    made.push(index);
    return fault(`key${index}`, '', 'is odd');
  });
  return { findings, made };
};

describe('namedFaults', () => {
  it('names 100, counts those behind them, and spends no time on them', () => {
    const { findings, made } = countedFindings(105);
    const named = namedFaults(findings);
    expect([named.length, made.length]).toEqual([101, 100]);
    expect(named.at(-1)?.line).toBe('the configuration: has 5 more faults');
    expect(namedFaults(findings.slice(0, 101)).at(-1)?.line).toBe('the configuration: has 1 more fault');
  });

  it('names the last one too when there are just 100, and each once', () => {
    const { findings } = countedFindings(100);
    const named = namedFaults([...findings.slice(0, 50), ...findings]);
    expect(named.map(({ key }) => key)).toEqual(Array.from({ length: 100 }, (_, index) => `key${index}`));
  });
});

it('does not look for what an unknown key may have meant before somebody asks', () => {
  let looks = 0;
  const root: SchemaNode = {
    get properties() {
      looks++;
      return { port: {} };
    },
  };
  const unknown = unknownKey(['prot'], root);
  expect(looks).toBe(0);
  expect(unknown.problem).toBe('unknown key; did you mean port?');
  expect(looks).toBeGreaterThan(0);
});
