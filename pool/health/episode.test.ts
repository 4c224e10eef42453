import { expect, test } from 'vitest';
import { Episode } from './episode.ts';

/** Ends it when that is due; whether it was. */
function endsAt(episode: Episode, nowMs: number): boolean {
  if (!episode.isOver(nowMs)) return false;
  episode.end(nowMs);
  return true;
}

test('begins once, counts its signs, and is over when none has come for a while', () => {
  const episode = new Episode(1_000);
  expect(endsAt(episode, 0)).toBe(false);
  expect([0, 500, 900].map((nowMs) => episode.sign(nowMs))).toEqual([true, false, false]);
  expect([episode.signs, episode.ageMs(1_000)]).toEqual([3, 1_000]);
  expect([1_000, 1_899, 1_900, 1_901].map((nowMs) => endsAt(episode, nowMs))).toEqual([
    false,
    false,
    true,
    false,
  ]);
  expect(episode.isOn).toBe(false);
});

test('takes ever longer to be over while it comes back, up to a minute, and forgets that in time', () => {
  const episode = new Episode(1_000);
  let nowMs = 0;
  const lengths = Array.from({ length: 9 }, () => {
    episode.sign(nowMs);
    const beganAtMs = nowMs;
    while (!endsAt(episode, nowMs)) nowMs += 500;
    const length = nowMs - beganAtMs;
    nowMs += 10_000;
    return length;
  });
  expect(lengths).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000));
  nowMs += 60_000;
  expect(episode.sign(nowMs)).toBe(true);
  expect(endsAt(episode, nowMs + 1_000)).toBe(true);
});

test('is one, whatever comes and goes within its quiet time', () => {
  const episode = new Episode(10_000);
  let begun = 0;
  for (let nowMs = 0; nowMs < 3_600_000; nowMs += 7_000) {
    if (episode.sign(nowMs)) begun++;
    endsAt(episode, nowMs + 6_999);
  }
  expect(begun).toBe(1);
});
