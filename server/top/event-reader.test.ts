import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventReader } from './event-reader.ts';

const text =
  'event: history\ndata: [1]\n\n: a comment\n\nevent: sample\ndata: {"a":"ü"}\n\ndata: x\n\nevent: half';
const events = [
  { event: 'history', data: '[1]' },
  { event: 'message', data: '' },
  { event: 'sample', data: '{"a":"ü"}' },
  { event: 'message', data: 'x' },
];

it('finds the same events in whatever pieces they come', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: text.length })), (cuts) => {
      const ends = [...cuts, text.length].sort((a, b) => a - b);
      const reader = new EventReader();
      const found = ends.flatMap((end, index) =>
        reader.push(text.slice(index === 0 ? 0 : ends[index - 1], end)),
      );
      expect(found).toEqual(events);
    }),
  );
});

it('does not keep an event without end', () => {
  const reader = new EventReader({ maxEventChars: 100 });
  reader.push('x'.repeat(60));
  expect(() => reader.push('x'.repeat(60))).toThrow('without end');
});
