import { expect, it } from 'vitest';
import { chosenSubjects } from './all-subjects.ts';

const chosen = (...subjects: string[]): string[] => chosenSubjects({ subjects }).map(({ name }) => name);

it('has a subject for each kind of micro-bench, and one for all of them', () => {
  const names = ['metrics', 'ratelimit', 'codec', 'balancers', 'jsonrpc', 'framing', 'micro'];
  expect(chosen(...names)).toEqual(names);
});

it('measures each thing once when nothing is named', () => {
  expect(chosen()).toContain('micro');
  expect(chosen()).not.toContain('metrics');
});

it('lists what there is when a name is none', () => {
  expect(() => chosen('speed')).toThrow(
    /no subject speed; there are pooled, mux, .*, codec-compared, .*, framing/,
  );
});
