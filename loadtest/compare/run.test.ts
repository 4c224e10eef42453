import { expect, it } from 'vitest';
import { contestants } from './contestants.ts';
import { figuresOf } from './figures.fixture.ts';
import { figuresAt, presentAmong } from './run.ts';

it('leaves out what is not installed, with the package that has it', () => {
  const { present, missing } = presentAmong(contestants, (name) => (name === 'nginx' ? '/nginx' : undefined));
  expect(present.map(({ name }) => name)).toEqual(
    contestants.map(({ name }) => name).filter((name) => name !== 'haproxy'),
  );
  expect(missing).toEqual(['haproxy is not installed (on Debian and Ubuntu: apt-get install haproxy)']);
});

it('has the ratios of those that were measured, with the goals of the depth', () => {
  const runs = [figuresOf('nginx', 50_000), figuresOf('request', 90_000), figuresOf('bare', 100_000)];
  const { ratios } = figuresAt(1, runs);
  expect(ratios.map(({ a, b, goal }) => [a.server, b.server, goal])).toEqual([['request', 'nginx', 2]]);
  expect(figuresAt(16, runs).ratios).toEqual([]);
});
