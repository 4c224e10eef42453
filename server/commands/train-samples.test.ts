import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SampleCollector } from './train-samples.ts';

const roomy = { maxSamples: 1_000, maxTotalBytes: 1_000_000 };

function collected(chunks: readonly (string | Buffer)[], limits = roomy): SampleCollector {
  const collector = new SampleCollector(limits);
  for (const chunk of chunks) collector.take(Buffer.from(chunk));
  collector.end();
  return collector;
}

function texts({ samples }: SampleCollector): string[] {
  return samples.map((sample) => sample.toString());
}

it('takes a JSON string for its text and any other line for itself', () => {
  const lines = ['{"id":1}', '"two\\nlines"', 'plain words', '{"broken":', '17'];
  expect(texts(collected([lines.join('\n')]))).toEqual([
    '{"id":1}',
    'two\nlines',
    'plain words',
    '{"broken":',
    '17',
  ]);
});

it('counts lines that are no message and goes on', () => {
  const lines = ['"unfinished', Buffer.from([0xc3, 0x28]), 'x'.repeat(1_048_577), '', '""', 'good'];
  const collector = collected(lines.flatMap((line) => [line, '\r\n']));
  expect(texts(collector)).toEqual(['good']);
  expect(collector.counts).toMatchObject({ lines: 6, unreadable: 3 });
});

it('finds the same messages however the input is cut', () => {
  const line = fc.stringMatching(/^[a-z{][a-z0-9:, ]{0,20}$/);
  const cuts = fc.array(fc.nat({ max: 300 }), { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(line), cuts, fc.boolean(), (lines, at, ended) => {
      const input = Buffer.from(lines.join('\n') + (ended ? '\n' : ''));
      const edges = [0, ...at.filter((edge) => edge < input.length).sort((a, b) => a - b), input.length];
      const chunks = edges.slice(1).map((end, i) => input.subarray(edges[i], end));
      expect(texts(collected(chunks))).toEqual(lines);
    }),
  );
});

it('stays within its bounds by keeping every second, fourth, … message of the whole input', () => {
  const lines = Array.from({ length: 1_000 }, (_, i) => `message ${i}\n`);
  const byCount = collected(lines, { ...roomy, maxSamples: 100 });
  expect(byCount.samples.length).toBeLessThanOrEqual(100);
  expect(byCount.stride).toBe(16);
  expect(texts(byCount)).toEqual(lines.filter((_, i) => i % 16 === 0).map((text) => text.trim()));
  const byBytes = collected(lines, { ...roomy, maxTotalBytes: 2_000 });
  expect(Buffer.concat([...byBytes.samples]).length).toBeLessThanOrEqual(2_000);
  expect(texts(byBytes).at(-1)).toMatch(/^message 9\d\d$/);
});

it('keeps the start of a message that is longer than the trainer looks at', () => {
  expect(collected(['x'.repeat(200_000)]).samples[0]).toHaveLength(131_072);
});
