import { expect, it } from 'vitest';
import { parseOptions } from './options.ts';

it('reads a scenario, a URL, and what the scenario is to be like', () => {
  const args = ['ladder', 'ws://127.0.0.1:8080/ws', '--connections', '5', '--rest', '0', '--set', 'rung1=7'];
  expect(parseOptions([...args, '--set', 'mode=quick', '--json', 'run.json'])).toMatchObject({
    name: 'ladder',
    url: 'ws://127.0.0.1:8080/ws',
    values: { connections: 5, rest: 0, rung1: 7, mode: 'quick' },
    jsonFile: 'run.json',
    reportFile: undefined,
  });
});

it.each([
  [['ladder', 'localhost:8080'], 'no WebSocket address'],
  [['ladder', 'http://localhost'], 'probably ws://localhost'],
  [['ladder', 'ws://localhost', 'soak'], 'one scenario and one URL'],
  [['ladder', '--connections', '1.5'], '--connections 1.5: a whole number'],
  [['ladder', '--seconds', '0'], '--seconds 0: a number'],
  [['ladder', '--rate', 'fast'], '--rate fast: a number'],
  [['ladder', '--set', 'rung1'], 'name=value is needed'],
  [['ladder', '--sconds', '5'], "Unknown option '--sconds'"],
])('refuses %j', (args, why) => {
  expect(() => parseOptions(args)).toThrow(why);
});
