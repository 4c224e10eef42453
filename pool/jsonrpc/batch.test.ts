import { describe, expect, it } from 'vitest';
import { Batch } from './batch.ts';

function batchOf(elements: number): { batch: Batch; answers: string[] } {
  const answers: string[] = [];
  const batch = new Batch(elements, 10, (bytes) => answers.push(Buffer.from(bytes).toString()));
  return { batch, answers };
}

describe('Batch', () => {
  it('answers once, when its last element is settled, in the order of the elements', () => {
    const { batch, answers } = batchOf(3);
    batch.settle(2, Buffer.from('3'));
    batch.settle(0, Buffer.from('{"a":1}'));
    expect(answers).toEqual([]);
    batch.settle(1, Buffer.from('2'));
    expect(answers).toEqual(['[{"a":1},2,3]']);
  });

  it('leaves out what has no outcome', () => {
    const { batch, answers } = batchOf(3);
    batch.settle(0, undefined);
    batch.settle(1, Buffer.from('1'));
    batch.settle(2, undefined);
    expect(answers).toEqual(['[1]']);
  });

  it('does not answer when no element has an outcome', () => {
    const { batch, answers } = batchOf(2);
    batch.settle(0, undefined);
    batch.settle(1, undefined);
    expect(answers).toEqual([]);
  });

  it('throws when it is settled once too often', () => {
    const { batch } = batchOf(1);
    batch.settle(0, undefined);
    expect(() => batch.settle(0, undefined)).toThrow(/^bug: /);
  });

  it('says when a reply would be more than it may collect', () => {
    const { batch } = batchOf(3);
    expect(batch.hasRoomFor(10)).toBe(true);
    batch.settle(0, Buffer.from('12345'));
    expect([batch.hasRoomFor(5), batch.hasRoomFor(6)]).toEqual([true, false]);
  });
});
