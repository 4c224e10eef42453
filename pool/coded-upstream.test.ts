import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CodedWorld } from './coded-world.fixture.ts';
import { pack, undecodable } from './toy-upstream-codec.fixture.ts';
import { frame } from './wire/frames.fixture.ts';
import { Opcode } from './wire/opcode.ts';

/** Lets the event loop turn; what a fake turn itself asks for is due a millisecond later. */
const turn = (): void => {
  vi.advanceTimersByTime(1);
};

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('messages', () => {
  it('are packed on the way out and unpacked on the way in, with their type', () => {
    const world = new CodedWorld();
    world.send('text');
    world.upstream.send(Buffer.from('bytes'), 0, 5, true);
    turn();
    expect(world.heard).toEqual(['text', 'b:bytes']);
    world.say('answer');
    world.connection.feed(frame({ opcode: Opcode.Binary, payload: pack('data', true) }));
    world.connection.say('plain');
    expect(world.told).toEqual(['answer', 'b:data', 'plain']);
  });

  it('get their id replaced', () => {
    const world = new CodedWorld();
    const bytes = Buffer.from('{"id":"x","method":"slow"}');
    world.upstream.sendSpliced(bytes, 0, 6, 9, bytes.length, 4711);
    bytes.fill('!');
    world.toy.workOnEncoding();
    turn();
    expect(world.heard).toEqual(['{"id":4711,"method":"slow"}']);
  });

  it('keep their order behind a slow one, both ways', () => {
    const world = new CodedWorld();
    world.send('1 slow', '2');
    world.say('3 slow', '4');
    turn();
    expect([...world.heard, ...world.told]).toEqual([]);
    expect(world.upstream.pendingBytes).toBeGreaterThan(0);
    for (let n = 0; n < 2; n++) {
      world.toy.workOnEncoding();
      world.toy.workOnDecoding();
    }
    turn();
    expect(world.heard).toEqual(['1 slow', '2']);
    expect(world.told).toEqual(['3 slow', '4']);
    expect(world.upstream.pendingBytes).toBe(0);
  });
});

describe('congestion', () => {
  it('begins when too much waits to be packed, and ends with word of it once all is', () => {
    const world = new CodedWorld({ maxWaiting: 4 });
    world.send('slow', 'a');
    expect(world.upstream.congested).toBe(false);
    world.send('b');
    expect(world.upstream.congested).toBe(true);
    // A session goes on: its upstream reads as fast as ever.
    expect([world.upstream.stalled, world.upstream.transcoding]).toEqual([false, true]);
    world.toy.workOnEncoding();
    world.toy.workOnEncoding();
    expect(world.told).toEqual([]);
    world.toy.workOnEncoding();
    expect(world.upstream.congested).toBe(false);
    expect(world.told).toEqual(['writable']);
  });

  it.each(['the socket', 'the codec'])('of both ends with one word when %s comes last', (last) => {
    const world = new CodedWorld({ maxWaiting: 4, maxBufferedBytes: 500 });
    world.connection.socket.stall();
    world.send('x'.repeat(600), 'x'.repeat(600), 'slow', 'a', 'b');
    const drain = (): void => {
      for (let n = 0; n < 3; n++) world.toy.workOnEncoding();
    };
    const ends = [() => world.connection.socket.unstall(), drain];
    if (last === 'the socket') ends.reverse();
    ends[0]!();
    expect(world.upstream.congested).toBe(true);
    expect(world.told).toEqual([]);
    ends[1]!();
    expect(world.upstream.congested).toBe(false);
    expect(world.told).toEqual(['writable']);
  });

  it('of a connection that is closing or gone ends in silence', () => {
    const closing = new CodedWorld({ maxWaiting: 4 });
    closing.send('slow', 'a', 'b');
    closing.upstream.close(1000, '');
    for (let n = 0; n < 3; n++) closing.toy.workOnEncoding();
    expect(closing.told).toEqual([]);
    const gone = new CodedWorld({ maxWaiting: 4 });
    gone.send('slow', 'a', 'b');
    gone.connection.socket.close();
    expect(gone.told).toEqual(['gone 1006']);
  });
});

describe('reading', () => {
  it('rests while too much waits to be unpacked, and goes on once all is', () => {
    const world = new CodedWorld({ maxWaiting: 4 });
    const { socket } = world.connection;
    world.say('slow', 'a');
    expect(socket.paused).toBe(false);
    world.say('b', 'c');
    expect(socket.paused).toBe(true);
    for (let n = 0; n < 3; n++) world.toy.workOnDecoding();
    expect(socket.paused).toBe(true);
    world.toy.workOnDecoding();
    expect(socket.paused).toBe(false);
    expect(world.told).toEqual(['slow', 'a', 'b', 'c']);
  });

  it('goes on when the owner closes the connection, so that the answer to its goodbye is seen', () => {
    const world = new CodedWorld({ maxWaiting: 4 });
    world.say('slow', 'a', 'b');
    expect(world.connection.socket.paused).toBe(true);
    world.upstream.close(1000, '');
    expect(world.connection.socket.paused).toBe(false);
  });
});

describe('a connection that ends', () => {
  it('is of no use at once, and tells so after what the upstream said before', () => {
    const world = new CodedWorld();
    world.say('1 slow', '2');
    world.leave();
    expect(world.upstream.usable).toBe(false);
    turn();
    world.connection.socket.close();
    expect(world.told).toEqual([]);
    world.toy.workOnDecoding();
    expect(world.told).toEqual(['1 slow']);
    world.toy.workOnDecoding();
    expect(world.told).toEqual(['1 slow', '2', 'gone 4001']);
  });

  it('tells what was never written, unpacked and in order, even when its owner learns of the end late', () => {
    const world = new CodedWorld();
    world.connection.socket.stall();
    world.send('written');
    turn();
    world.send('packed 1', 'packed 2', 'slow', 'waits');
    world.upstream.send(Buffer.from('bytes wait'), 0, 10, true);
    expect(world.unsent()).toEqual(['packed 1', 'packed 2', 'slow', 'waits', 'bytes wait']);
    world.say('slow');
    world.connection.socket.close();
    world.send('too late');
    expect(world.unsent()).toEqual(['packed 1', 'packed 2', 'slow', 'waits', 'bytes wait']);
    expect(world.toy.waiting, 'what is still unpacked for the owner').toBe(1);
    world.toy.workOnDecoding();
    expect(world.told).toEqual(['slow', 'gone 1006']);
    expect(world.left).toEqual(['packed 1', 'packed 2', 'slow', 'waits', 'bytes wait']);
    expect(world.unsent(), 'kept in memory').toEqual([]);
    expect(world.heard).toEqual(['written']);
  });

  it('shows copies that stay as they are', () => {
    const world = new CodedWorld();
    const kept: Uint8Array[] = [];
    world.onUpstreamGone = () =>
      world.upstream.unsent((buf, start, end) => void kept.push(buf.subarray(start, end)));
    world.send('one', 'two');
    world.connection.socket.close();
    expect(kept.map((bytes) => Buffer.from(bytes).toString())).toEqual(['one', 'two']);
  });

  it('drops what the thread pool finishes afterwards', () => {
    const world = new CodedWorld();
    world.send('slow');
    world.connection.socket.close();
    world.toy.workOnEncoding();
    turn();
    expect(world.heard).toEqual([]);
    expect(world.left).toEqual(['slow']);
  });

  it('is told of once although what came last cannot be unpacked', () => {
    const world = new CodedWorld();
    world.say('slow');
    world.sayGarbage();
    world.leave();
    world.toy.workOnDecoding();
    world.toy.workOnDecoding();
    turn();
    world.connection.socket.close();
    turn();
    expect(world.told).toEqual(['slow', 'gone 4001']);
    expect(world.connection.frames.filter(({ opcode }) => opcode === Opcode.Close)).toHaveLength(1);
  });

  it('is not told of to an owner that closes it while late messages come', () => {
    const world = new CodedWorld();
    world.onUpstreamMessage = () => world.upstream.close(1000, '');
    world.say('slow', 'another');
    world.leave();
    world.toy.workOnDecoding();
    world.toy.workOnDecoding();
    turn();
    expect(world.told).toEqual([]);
    expect(world.toy.waiting).toBe(0);
  });
});

describe('a connection that is closed', () => {
  it('says goodbye after what waits to be packed, and its owner hears nothing more', () => {
    const world = new CodedWorld();
    world.say('slow');
    world.send('slow', 'last');
    world.upstream.close(4000, 'done');
    world.upstream.close(4001, 'again');
    expect(world.upstream.usable).toBe(false);
    world.say('late');
    world.send('late');
    turn();
    expect(world.connection.closing).toBeUndefined();
    world.toy.workOnDecoding();
    world.toy.workOnEncoding();
    world.toy.workOnEncoding();
    turn();
    world.connection.socket.close();
    expect(world.heard).toEqual(['slow', 'last']);
    expect(world.connection.closing).toEqual([4000, 'done']);
    expect(world.told).toEqual([]);
    expect(world.toy.waiting).toBe(0);
  });

  it('sends what it was given although the upstream talks garbage meanwhile', () => {
    const world = new CodedWorld();
    world.send('slow');
    world.upstream.close(1000, '');
    world.sayGarbage();
    turn();
    world.toy.workOnEncoding();
    turn();
    expect(world.heard).toEqual(['slow']);
    expect(world.connection.closing?.[0]).toBe(1000);
  });

  it('forgets what waits when the upstream leaves first', () => {
    const world = new CodedWorld();
    world.send('slow');
    world.upstream.close(1000, '');
    world.leave();
    turn();
    world.connection.socket.close();
    expect(world.told).toEqual([]);
    expect(world.toy.waiting).toBe(0);
  });

  it('is cut without a goodbye when it is destroyed, also while one waits', () => {
    for (const closesFirst of [false, true]) {
      const world = new CodedWorld();
      world.send('slow');
      world.say('slow');
      if (closesFirst) world.upstream.close(1000, '');
      world.upstream.destroy();
      turn();
      expect(world.connection.socket.destroyed).toBe(true);
      expect(world.connection.closing).toBeUndefined();
      expect(world.told).toEqual([]);
      expect(world.toy.waiting).toBe(0);
    }
  });
});

describe('a codec that fails', () => {
  it('ends the connection with the code of its fault, once, after what was said before', () => {
    const world = new CodedWorld();
    world.say('slow');
    world.sayGarbage();
    world.say('after');
    world.toy.workOnDecoding();
    world.toy.workOnDecoding();
    expect(world.upstream.usable).toBe(false);
    world.say('after');
    turn();
    world.connection.socket.close();
    expect(world.told).toEqual(['slow', 'gone 1006']);
    expect(world.connection.closing).toEqual([1007, 'undecodable']);
  });

  it('takes nothing more of a chunk once a message in it was garbage', () => {
    const world = new CodedWorld();
    const chunk = [undecodable, pack('after')].map((payload) => frame({ opcode: Opcode.Binary, payload }));
    world.connection.feed(Buffer.concat(chunk));
    turn();
    expect(world.told).toEqual(['gone 1006']);
  });

  it.each([
    ['undecodable', 1007],
    ['decoded-too-big', 1009],
    ['codec-behind', 1013],
  ] as const)('closes with the code for %s', (fault, code) => {
    const world = new CodedWorld();
    world.upstream.onCodecFault(fault);
    world.upstream.onCodecFault('undecodable');
    turn();
    expect(world.connection.closing?.[0]).toBe(code);
  });

  it('loses the connection not within the send that was too much, and nothing of what waited', () => {
    const world = new CodedWorld({ maxWaiting: 3 });
    world.say('slow');
    world.send('slow', 'a', 'b', 'c');
    expect(world.told).toEqual([]);
    expect(world.upstream.usable).toBe(false);
    world.send('d');
    turn();
    world.toy.workOnDecoding();
    expect(world.told).toEqual(['slow', 'gone 1006']);
    expect(world.left).toEqual(['slow', 'a', 'b', 'c']);
    expect(world.connection.closing).toEqual([1013, 'codec-behind']);
    expect(world.toy.waiting).toBe(0);
  });

  it('leaves the goodbye to an owner that closes first', () => {
    const world = new CodedWorld({ maxWaiting: 1 });
    world.send('slow', 'a');
    world.upstream.close(4000, '');
    turn();
    expect(world.told).toEqual([]);
    expect(world.connection.closing?.[0]).toBe(4000);
  });
});
