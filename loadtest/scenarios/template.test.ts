import { expect, it } from 'vitest';
import { rendered } from './template.ts';

it('fills variables in wherever they are, and keeps the type of one that stands alone', () => {
  const value = { list: ['{{ rate }}', 'at {{ rate }}/s for {{name}}'], plain: 7, nothing: null };
  expect(rendered(value, { rate: 5, name: 'you' })).toEqual({
    list: [5, 'at 5/s for you'],
    plain: 7,
    nothing: null,
  });
});

it('throws for one that there is not', () => {
  expect(() => rendered(['{{ nope }}'], {})).toThrow('{{ nope }}: there is no such variable');
});
