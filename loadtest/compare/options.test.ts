import { describe, expect, it } from 'vitest';
import { contestants } from './contestants.ts';
import { checkMachine, parseOptions } from './options.ts';

const names = (args: readonly string[]): string[] => parseOptions(args).contestants.map(({ name }) => name);

describe('parseOptions', () => {
  it('takes all contestants unless some are named, in the order of the list', () => {
    expect(names([])).toEqual(contestants.map(({ name }) => name));
    expect(names(['request', 'nginx'])).toEqual(['nginx', 'request']);
  });

  it('reads depths, seconds and rounds', () => {
    const { depths, pace } = parseOptions(['--depth', '1,16,1', '--seconds', '0.5', '--rounds', '5']);
    expect(depths).toEqual([1, 16]);
    expect(pace).toMatchObject({ windowMs: 500, rounds: 5, retries: 0 });
  });

  it.each([
    [['envoy'], /no contestant envoy; there are bare, ws, /],
    [['--clients', '0'], /--clients 0: a number from 1 to/],
    [['--clients', '1.5'], /a whole number/],
    [['--clients', 'many'], /--clients many/],
    [['--depth', '1,,2'], /--depth : a whole number/],
    [['--depth', '99'], /from 1 to 31/],
    [['--seconds', '-1'], /--seconds/],
    [['--speed', '9'], /--speed/],
    [['--rounds'], /--rounds/],
  ])('refuses %j', (args, reason) => {
    expect(() => parseOptions(args)).toThrow(reason);
  });
});

describe('checkMachine', () => {
  it('refuses a gateway that is not there', () => {
    expect(() => checkMachine(parseOptions(['--gateway', 'no/such.ts']))).toThrow(
      '--gateway no/such.ts: there is no such file',
    );
  });
});
