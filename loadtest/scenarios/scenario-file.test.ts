import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findScenario, knownScenarios, withValues } from './scenario-file.ts';

const names = ['burst', 'connect-storm', 'ladder', 'mixed-codecs', 'slow-readers', 'soak', 'upstream-loss'];

let dir: string;
beforeAll(() => (dir = mkdtempSync(join(tmpdir(), 'wsluice-test-'))));
afterAll(() => rmSync(dir, { recursive: true }));

function fileWith(text: string): string {
  const file = join(dir, 'own.yml');
  writeFileSync(file, text);
  return file;
}

it('knows the scenarios that come with wsluice', () => {
  expect(knownScenarios().map(({ name }) => name)).toEqual(names);
});

describe.each(names)('%s', (name) => {
  it('makes sense with its own values, and says what each of them is', () => {
    const file = findScenario(name);
    const { variables, expect: expected } = withValues(file, {});
    expect(expected.length).toBeGreaterThan(1);
    for (const variable of Object.keys(variables))
      // "rung1 …; the others likewise"
      if (!/^rung[2-9]|^second/.test(variable)) expect(file.variables[variable]!.about).not.toBe('');
  });
});

it('puts values from the command line over those of the file, in what is expected too', () => {
  const { variables, stand, expect: expected } = withValues(findScenario('burst'), { limit: 7 });
  expect(variables['limit']).toBe(7);
  expect(stand.gateway['rateLimits']).toMatchObject([{ requestsPerSecond: 7 }]);
  expect(expected[0]!.admitted).toMatchObject({ perSecond: 7 });
});

it('reads a file of one’s own', () => {
  const file = fileWith(`
config: { variables: { rate: 5 } }
scenarios: [{ engine: wsluice, flow: [] }]
wsluice: { title: mine, variables: { rate: messages/s }, expect: [{ answered: {} }] }
`);
  expect(withValues(findScenario(file), { rate: 6 })).toMatchObject({ name: 'own', variables: { rate: 6 } });
});

it.each([
  ['a: [', /is no YAML/],
  ['just words', /is no scenario/],
  ['config: {}\nscenarios: []', /is no scenario[^]*scenarios[^]*wsluice/],
])('says what is wrong with %j', (text, why) => {
  expect(() => findScenario(fileWith(text))).toThrow(why);
});

it('says which variables there are where one is not known, and what one must be', () => {
  const soak = findScenario('soak');
  expect(() => withValues(soak, { rats: 1 })).toThrow('soak has no rats; what it has: connections, rate,');
  expect(() => withValues(soak, { rate: 'fast' })).toThrow('rate=fast: soak needs a number there');
});

it('takes no expectation that there is not', () => {
  const file = fileWith(`
config: {}
scenarios: [{ engine: wsluice, flow: [] }]
wsluice: { title: mine, variables: {}, expect: [{ miracles: {} }] }
`);
  expect(() => withValues(findScenario(file), {})).toThrow(/miracles/);
});
