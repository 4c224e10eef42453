import { expect, it } from 'vitest';
import { readMitata } from './mitata-output.ts';

const output = `clk: ~3.49 GHz
benchmark                   avg (min … max) p75 / p99    (min … top 1%)
--------------------------------------------------------
• scanRequest
--------------------------------------------------------
\u001b[1m64 bytes, id first\u001b[0m           259.48 ns/iter 226.54 ns  █
                    (208.92 ns … 2.18 µs)   1.65 µs  █
10 KB                         12.99 µs/iter  12.82 µs  █
`;

it('reads the averages, in nanoseconds, with the group in the name', () => {
  expect(readMitata(output)).toEqual([
    { name: 'scanRequest: 64 bytes, id first', averageNs: 259.48 },
    { name: 'scanRequest: 10 KB', averageNs: 12_990 },
  ]);
});
