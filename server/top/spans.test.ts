import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, paint, printable, widthOf, type Style } from './spans.ts';

const plain = { colours: false, unicode: true };
const styles: Style[] = ['plain', 'bold', 'dim', 'title', 'good', 'warn', 'bad'];

describe('paint', () => {
  it('lets nothing reach the terminal but printable characters, whatever it is given', () => {
    const hostile = fc.string({ unit: 'binary', maxLength: 20 });
    const line = fc.array(fc.record({ text: hostile, style: fc.constantFrom(...styles) }), { maxLength: 4 });
    fc.assert(
      fc.property(line, fc.nat(100), fc.boolean(), (spans, width, colours) => {
        const painted = paint(spans, width, { colours, unicode: false });
        const text = painted.replaceAll(/\x1b\[[\d;]+m/g, '');
        expect(text).toMatch(/^[\x20-\x7e▁▂▃▄▅▆▇█]*$/);
        expect(text.length).toBeLessThanOrEqual(width);
        if (!colours) expect(text).toBe(painted);
      }),
    );
  });

  it('makes question marks of escape sequences, C1 controls and what turns text around', () => {
    expect(printable('a\x1b[2Jb\x07c\u009b31md\u202ee\nf')).toBe('a?[2Jb?c?31md?e?f');
  });

  it('colours each span, and ends each colour', () => {
    const line = [{ text: 'ab', style: 'bad' }, { text: 'cd' }] as const;
    expect(paint(line, 80, { ...plain, colours: true })).toBe('\x1b[1;31mab\x1b[0mcd');
    expect(paint(line, 3, { ...plain, colours: true })).toBe('\x1b[1;31mab\x1b[0m…');
    expect(paint(line, 80, plain)).toBe('abcd');
  });

  it('cuts with an ellipsis, or what stands for it', () => {
    expect([cut('abcdef', 6), cut('abcdef', 4), cut('abcdef', 1), cut('abcdef', 0)]).toEqual([
      'abcdef',
      'abc…',
      '…',
      '',
    ]);
    expect(paint([{ text: 'abcdef' }], 4, { colours: false, unicode: false })).toBe('abc~');
  });
});

it('measures a line', () => expect(widthOf([{ text: 'ab' }, { text: 'c', style: 'dim' }])).toBe(3));
