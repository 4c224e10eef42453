// npm run bench -- framing: what a frame costs, written and read.
import { bench, do_not_optimize, group } from 'mitata';
import type { Work } from '../../loadtest/bench/micro/bench-file.ts';
import { BufferPool } from './buffer-pool.ts';
import { frame } from './frames.fixture.ts';
import { FrameReader } from './reader.ts';
import { FrameWriter } from './writer.ts';

/** In one run, as in a busy connection's turn. */
const FRAMES = 100;

/** The figures are those of one frame. */
export const workOf = (): Work => ({ operations: FRAMES });

const request = Buffer.from('{"jsonrpc":"2.0","id":1234,"method":"echo","params":["abcdef"]}');
const cutStart = request.indexOf('1234');
const large = Buffer.alloc(65_536, 'abcdefg');

function write(trusted: boolean): void {
  const buffers = new BufferPool();
  const writer = new FrameWriter({ buffers, trusted });
  const flush = (): void => {
    const bytes = writer.take()!;
    do_not_optimize(bytes);
    writer.recycle(bytes);
  };
  bench('message of 63 bytes', () => {
    for (let i = 0; i < FRAMES; i++) writer.message(request, 0, request.length, false);
    flush();
  });
  bench('spliced, 7 digits', () => {
    for (let i = 0; i < FRAMES; i++)
      writer.spliced(request, 0, cutStart, cutStart + 4, request.length, 1_234_567 + i);
    flush();
  });
  bench('message of 64 KB', () => {
    for (let i = 0; i < FRAMES; i++) {
      writer.message(large, 0, large.length, true);
      flush();
    }
  });
}

function read(name: string, payload: Uint8Array, opcode: number, chunkBytes: number): void {
  const bytes = Buffer.concat(Array<Buffer>(FRAMES).fill(frame({ opcode, payload })));
  let sum = 0;
  const count = (_: Uint8Array, start: number, end: number): void => {
    sum += end - start;
  };
  const fail = (): never => {
    throw new Error('bug: the bench writes no such frame');
  };
  const handler = { onMessage: count, onPing: count, onPong: count, onClose: fail, onFault: fail };
  const reader = new FrameReader({ handler, maxMessageBytes: 2 ** 20, maxFragments: 8 });
  bench(name, () => {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      reader.push(bytes, at, Math.min(at + chunkBytes, bytes.length));
    }
    do_not_optimize(sum);
  });
}

group('write, trusted', () => write(true));
group('write, masked', () => write(false));
group('read', () => {
  read('text of 63 bytes', request, 1, 65_536);
  read(
    'text of 63 bytes with a character above ASCII',
    Buffer.from(`${request.toString().slice(0, 61)}é`),
    1,
    65_536,
  );
  read('binary of 63 bytes', request, 2, 65_536);
  read('text of 63 bytes, each split in two', request, 1, 65);
  read('text of 64 KB in chunks of 64 KB', large, 1, 65_536);
});
