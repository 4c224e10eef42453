import { describe, expect, it } from 'vitest';
import { limitName } from './limit-config.ts';
import { limitOf } from './limits.fixture.ts';

describe('the name of a limit', () => {
  it('says what tells it from others, a match in quotes', () => {
    expect(limitName(limitOf({ scope: 'method', match: 'tools/*', per: 'ip' }))).toBe(
      'method "tools/*", per ip, messages, token-bucket',
    );
    expect(limitName(limitOf({ scope: 'route', unit: 'bytes', strategy: 'sliding-window' }))).toBe(
      'route, bytes, sliding-window 1000 ms',
    );
  });

  it('is not that of another one, whatever a match reads like', () => {
    const names = [
      limitOf({ scope: 'method', match: 'a', per: 'ip' }),
      limitOf({ scope: 'method', match: 'a, per ip' }),
      limitOf({ scope: 'method', match: 'a", per ip' }),
      limitOf({ scope: 'method', match: '"a", per ip' }),
    ].map(limitName);
    expect(new Set(names)).toHaveLength(4);
  });

  it('stays while figures and what happens above change', () => {
    const [one, other] = [
      limitOf(),
      limitOf({ requestsPerSecond: 9, burst: 5, onExceed: 'drop', dryRun: true }),
    ];
    expect(limitName(one)).toBe(limitName(other));
  });
});
