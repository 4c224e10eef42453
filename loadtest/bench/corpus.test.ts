import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { corpusFiles } from '../corpus/generate.ts';
import { readCorpus, readDictionary } from '../corpus/read.ts';

const folder = join(import.meta.dirname, '../corpus');
const [train, test] = [readCorpus('train'), readCorpus('test')];
const textOf = ({ bytes }: { bytes: Buffer }): string => bytes.toString();

it('is what its generator makes', () => {
  for (const { path, content } of corpusFiles()) {
    expect(readFileSync(join(folder, path), 'utf8') === content, `${path}; run generate.ts`).toBe(true);
  }
});

it('has no message twice, and none to be tested that was trained on', () => {
  const texts = [...train, ...test].map(textOf);
  expect(new Set(texts).size).toBe(texts.length);
});

it('is JSON without long runs of one letter', () => {
  for (const text of [...train, ...test].map(textOf)) {
    expect(JSON.parse(text)).toBeTypeOf('object');
    expect(/(.)\1{11}/.exec(text)).toBeNull();
  }
});

it('has messages of every size from 100 bytes to 100 KB, most about 280 bytes', () => {
  const within = (least: number, most: number): number =>
    test.filter(({ bytes }) => bytes.length >= least && bytes.length < most).length;
  expect(within(200, 400)).toBeGreaterThan(test.length / 2);
  expect(within(700, 1_600)).toBeGreaterThan(40);
  expect(within(7_000, 15_000)).toBeGreaterThan(5);
  expect(within(80_000, 100_000)).toBeGreaterThan(1);
  expect(new Set(test.map(({ kind }) => kind)).size).toBe(6);
});

it('comes with a dictionary that contains pieces of what was trained on', () => {
  const { bytes } = readDictionary();
  expect(bytes.length).toBe(16_384);
  const piece = Buffer.from(bytes.subarray(-400)).toString('latin1').slice(100, 140);
  expect(train.some((message) => message.bytes.toString('latin1').includes(piece))).toBe(true);
});
