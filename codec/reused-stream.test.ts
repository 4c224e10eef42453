import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Arena, openOneShot, openStream, type StreamKind } from './reused-stream.ts';

const sample = Buffer.from('a message');
const gzip: StreamKind = {
  create: (options) => zlib.createGzip(options),
  call: zlib.gzipSync,
  options: {},
  endFlag: zlib.constants.Z_FINISH,
  resets: true,
  sample,
};

describe('openStream', () => {
  it('gives what the public call gives, without building a stream for each message', () => {
    let built = 0;
    const create: StreamKind['create'] = (options) => {
      built++;
      return zlib.createGzip(options);
    };
    const stream = openStream({ ...gzip, create }, new Arena());
    for (let round = 0; round < 100; round++)
      expect(stream.run(sample, 1000, 1000)).toEqual(zlib.gzipSync(sample));
    expect(stream.takenBytes).toBe(sample.length);
    expect(built).toBe(1);
  });

  it.each<[string, (internals: Internals) => void]>([
    ['have no handle', (internals) => (internals._handle = undefined)],
    ['have no state', (internals) => (internals._writeState = undefined)],
    ['cannot write', (internals) => (internals._handle = { reset: () => undefined })],
    ['write nothing', (internals) => (internals._handle!.writeSync = () => undefined)],
    ['report errors', failAlways],
    ['keep the last message', (internals) => (internals._handle!.reset = () => undefined)],
  ])('uses the public calls where streams %s', (_, breakIt) => {
    const create: StreamKind['create'] = (options) => {
      const stream = zlib.createGzip(options);
      breakIt(stream as unknown as Internals);
      return stream;
    };
    const stream = openStream({ ...gzip, create }, new Arena());
    for (const message of ['one', 'two', 'three']) {
      expect(stream.run(Buffer.from(message), 100, 100)).toEqual(zlib.gzipSync(message));
      expect(stream.takenBytes).toBe(message.length);
    }
  });

  it.each([openStream, openOneShot])('makes room as it turns out to be needed, up to the limit', (open) => {
    const zeros = Buffer.alloc(3_000_000);
    const inflate: StreamKind = {
      ...gzip,
      create: (options) => zlib.createInflate(options),
      call: zlib.inflateSync,
      sample: zlib.deflateSync('x'),
    };
    const stream = open(inflate, new Arena());
    const packed = zlib.deflateSync(zeros);
    for (const maxBytes of [3_000_000, 3_000_001, Infinity])
      expect(zeros.equals(stream.run(packed, 0, maxBytes))).toBe(true);
    const tooBig = expect.objectContaining({ code: 'WSLUICE_CODEC', fault: 'too-big' }) as unknown;
    for (const maxBytes of [0, 1, 65_535, 65_536, 2_999_999])
      expect(() => stream.run(packed, 0, maxBytes)).toThrow(tooBig);
    expect(zeros.equals(stream.run(packed, 0, 3_000_000))).toBe(true);
  });
});

describe('Arena', () => {
  it('keeps its memory from message to message, but not more than 1 MB of it', () => {
    const arena = new Arena();
    const first = arena.take(100);
    expect(first.length).toBe(65_536);
    expect(arena.take(65_536)).toBe(first);
    const megabyte = arena.take(1_048_577);
    expect(arena.take(1)).toBe(megabyte);
    const larger = arena.take(1_048_578);
    expect(larger.length).toBe(1_048_578);
    expect(arena.take(1).length).toBe(65_536);
  });
});

interface Internals {
  _handle:
    | { reset?: () => void; writeSync?: (...all: unknown[]) => void; onerror?: (message: string) => void }
    | undefined;
  _writeState: unknown;
}

function failAlways(internals: Internals): void {
  const handle = internals._handle!;
  handle.writeSync = () => handle.onerror!('broken');
}
