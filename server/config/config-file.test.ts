import { describe, expect, it } from 'vitest';
import { readConfigFile } from './config-file.ts';
import { ConfigError } from './faults.ts';

const read = (text: string): unknown => readConfigFile('w.yaml', () => text);

function linesOf(text: string): readonly string[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}

describe('readConfigFile', () => {
  it('reads YAML and JSON', () => {
    expect(read('log: { level: info } # comment')).toEqual({ log: { level: 'info' } });
    expect(read('{"log":{"level":"info"}}')).toEqual({ log: { level: 'info' } });
  });

  it.each(['', '\n', '# only a comment\n', 'null', '---\n'])('takes %j for an empty mapping', (text) =>
    expect(read(text)).toEqual({}),
  );

  it.each(['[1]', 'text', '3'])('refuses %j, whose top is no mapping', (text) =>
    expect(linesOf(text)).toEqual(['w.yaml: does not hold a mapping of keys to values at its top']),
  );

  it('names file, line and column of every syntax fault', () => {
    expect(linesOf('listen:\n  port: 1\n  port: 2\nlisten: 3\n')).toEqual([
      expect.stringMatching(/^w\.yaml:3:3: Map keys must be unique/),
      expect.stringMatching(/^w\.yaml:4:1: Map keys must be unique/),
    ]);
    expect(linesOf('{"a":1,"a":2}')).toEqual([expect.stringMatching(/^w\.yaml:1:8: /)]);
  });

  it.each(['a: !!js/function x', 'a: !secret x', '? [1]\n: 2', 'a: 1\n---\nb: 2', 'a: *nowhere'])(
    'refuses %j',
    (text) => expect(linesOf(text)).toHaveLength(1),
  );

  it('does not quote what it stumbled over, which may be a secret', () => {
    const texts = [
      'token: "hunter2',
      'a: {token: hunter2 } hunter2 }',
      'hunter2: [\nb',
      'a: b: hunter2',
      '- a\nhunter2',
    ];
    for (const line of texts.flatMap(linesOf)) expect(line).not.toContain('hunter2');
  });

  it('bounds what aliases multiply and how deep it nests', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
    const lines = names.map((name, index) => {
      const item = index === 0 ? 'x' : `*${names[index - 1]!}`;
      return `${name}: &${name} [${Array<string>(9).fill(item).join()}]`;
    });
    expect(linesOf(lines.join('\n'))).toEqual([expect.stringContaining('Excessive alias count')]);
    expect(linesOf('['.repeat(100_000))).toEqual([expect.stringContaining('nests too deep')]);
    expect(linesOf('- '.repeat(100_000))).toEqual([expect.stringContaining('nests too deep')]);
    expect(linesOf(`a: ${'x'.repeat(5_000_000)}`)).toEqual([expect.stringContaining('is larger than')]);
  });

  it('keeps a __proto__ key as a key of its own', () => {
    const tree = read('{"__proto__": {"polluted": true}}');
    expect(Object.keys(tree as object)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([
    ['ENOENT', 'does not exist'],
    ['EACCES', 'cannot be read: permission denied'],
    ['EISDIR', 'is a directory'],
    ['EIO', 'cannot be read (EIO)'],
  ])('says in one line why a file cannot be read: %s', (code, reason) => {
    const fail = (): never => {
      throw Object.assign(new Error('cannot'), { code });
    };
    expect(() => readConfigFile('w.yaml', fail)).toThrow(ConfigError);
    expect(() => readConfigFile('w.yaml', fail)).toThrow(`w.yaml: ${reason}`);
  });
});
