import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Endpoint } from './endpoint.ts';
import { FakeConnection } from './modes/fake-upstream.fixture.ts';
import type { Heartbeat, UpstreamOwner } from './upstream.ts';
import { closePayload, frame } from './wire/frames.fixture.ts';
import { Opcode } from './wire/opcode.ts';

class Owner implements UpstreamOwner {
  readonly messages: string[] = [];
  readonly gone: [number, string][] = [];
  writable = 0;

  onUpstreamMessage(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    this.messages.push(`${isBinary ? 'binary' : 'text'} ${Buffer.from(buf.subarray(start, end)).toString()}`);
  }

  onUpstreamGone(code: number, reason: string): void {
    this.gone.push([code, reason]);
  }

  onUpstreamWritable(): void {
    this.writable++;
  }
}

function setUp(options: { maxBufferedBytes?: number; heartbeat?: Heartbeat; trusted?: boolean } = {}): {
  connection: FakeConnection;
  owner: Owner;
  send: (text: string, isBinary?: boolean) => void;
  unsent: () => string[];
} {
  const { trusted = true, ...rest } = options;
  const connection = new FakeConnection(new Endpoint({ url: 'ws://10.0.0.1:1', trusted }), rest);
  const owner = new Owner();
  const { upstream } = connection;
  upstream.owner = owner;
  const send = (text: string, isBinary = false): void => {
    const bytes = Buffer.from(text);
    upstream.send(bytes, 0, bytes.length, isBinary);
  };
  const unsent = (): string[] => {
    const texts: string[] = [];
    upstream.unsent((buf, start, end) => texts.push(Buffer.from(buf.subarray(start, end)).toString()));
    return texts;
  };
  return { connection, owner, send, unsent };
}

const turn = (): void => {
  vi.advanceTimersByTime(0);
};

describe('Upstream', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('writes what one turn collected at once, at its end', () => {
    const { connection, send } = setUp();
    const writes = vi.spyOn(connection.socket, 'write');
    send('a');
    send('b', true);
    expect(writes).not.toHaveBeenCalled();
    turn();
    expect(writes).toHaveBeenCalledTimes(1);
    expect(connection.frames.map(({ opcode, payload }) => [opcode, payload.toString()])).toEqual([
      [Opcode.Text, 'a'],
      [Opcode.Binary, 'b'],
    ]);
  });

  it.each([true, false])('replaces the id in a message on its way (trusted: %s)', (trusted) => {
    const { connection } = setUp({ trusted });
    const bytes = Buffer.from('{"id":"x","method":"m"}');
    connection.upstream.sendSpliced(bytes, 0, 6, 9, bytes.length, 4711);
    turn();
    expect(connection.texts).toEqual(['{"id":4711,"method":"m"}']);
  });

  it('masks frames to a stranger and leaves those to a trusted one as they are', () => {
    for (const trusted of [true, false]) {
      const { connection, send } = setUp({ trusted });
      let raw: Uint8Array = Buffer.alloc(0);
      connection.socket.onBytes = (bytes) => (raw = bytes);
      send('plain text that is long enough to tell');
      turn();
      expect(Buffer.from(raw).includes('plain text')).toBe(trusted);
      expect(raw[1]! & 0x80).toBe(0x80);
    }
  });

  it('does not write before the last write has left, and then all at once', () => {
    const { connection, send } = setUp();
    connection.socket.stall();
    send('a');
    turn();
    send('b');
    turn();
    send('c');
    turn();
    expect(connection.texts).toEqual(['a']);
    connection.socket.unstall();
    expect(connection.texts).toEqual(['a', 'b', 'c']);
  });

  it('knows what was provably never written', () => {
    const { connection, send, unsent } = setUp({ trusted: false });
    connection.socket.stall();
    send('a');
    expect(unsent()).toEqual(['a']);
    turn();
    connection.upstream.sendPing();
    send('b');
    send('c', true);
    expect(unsent()).toEqual(['b', 'c']);
    connection.socket.unstall();
    expect(unsent()).toEqual([]);
  });

  it('shows what was never written to its owner while that learns that the connection is gone', () => {
    const { connection, owner, send, unsent } = setUp();
    let seen: string[] = [];
    owner.onUpstreamGone = () => (seen = unsent());
    send('a');
    connection.socket.close();
    expect(seen).toEqual(['a']);
    expect(unsent()).toEqual([]);
  });

  it('is congested while more waits than allowed, and says when it can be written to again', () => {
    const { connection, owner, send } = setUp({ maxBufferedBytes: 100_000 });
    connection.socket.stall();
    send('x');
    turn();
    send('x'.repeat(70_000));
    expect(connection.upstream.congested).toBe(false);
    send('x'.repeat(70_000));
    expect(connection.upstream.congested).toBe(true);
    expect(owner.writable).toBe(0);
    connection.socket.unstall();
    expect(connection.upstream.congested).toBe(false);
    expect(owner.writable).toBe(1);
  });

  it('takes a message larger than its limit as long as the socket takes it too', () => {
    const { connection, send } = setUp({ maxBufferedBytes: 100_000 });
    send('x'.repeat(200_000));
    expect(connection.upstream.congested).toBe(false);
    turn();
    expect(connection.texts).toEqual(['x'.repeat(200_000)]);
  });

  it('answers a ping with its payload', () => {
    const { connection } = setUp();
    connection.feed(frame({ opcode: Opcode.Ping, payload: 'hi' }));
    turn();
    expect(connection.frames).toMatchObject([{ opcode: Opcode.Pong, payload: Buffer.from('hi') }]);
  });

  it('collects no pongs for one that pings and does not read', () => {
    const { connection, send } = setUp({ maxBufferedBytes: 100_000 });
    connection.socket.stall();
    send('x');
    turn();
    send('x'.repeat(200_000));
    for (let n = 0; n < 50; n++) connection.feed(frame({ opcode: Opcode.Ping, payload: 'hi' }));
    connection.socket.unstall();
    expect(connection.frames.filter(({ opcode }) => opcode === Opcode.Pong)).toEqual([]);
  });

  it('gives its owner each message whole, by its type', () => {
    const { connection, owner } = setUp();
    connection.feed(frame({ opcode: Opcode.Text, payload: 'a', isLast: false }));
    connection.feed(frame({ opcode: Opcode.Continuation, payload: 'b' }));
    connection.say('c', Opcode.Binary);
    expect(owner.messages).toEqual(['text ab', 'binary c']);
  });

  it('passes the code and reason of a close frame on, once, and follows with a close frame', () => {
    const { connection, owner } = setUp();
    connection.feed(frame({ opcode: Opcode.Close, payload: closePayload(4001, 'bye') }));
    turn();
    connection.socket.close();
    expect(owner.gone).toEqual([[4001, 'bye']]);
    expect(connection.closing?.[0]).toBe(4001);
    expect(connection.socket.ended).toBe(true);
    expect(connection.upstream.usable).toBe(false);
  });

  it('says 1005 for an empty close frame and 1006 for none', () => {
    const empty = setUp();
    empty.connection.feed(frame({ opcode: Opcode.Close }));
    expect(empty.owner.gone).toEqual([[1005, '']]);
    const none = setUp();
    none.connection.socket.close();
    expect(none.owner.gone).toEqual([[1006, '']]);
  });

  it('closes with the code of the fault when the upstream breaks the protocol', () => {
    const { connection, owner } = setUp();
    connection.feed(frame({ opcode: Opcode.Text, payload: 'x', reserved: 0x40 }));
    turn();
    expect(owner.gone).toEqual([[1006, '']]);
    expect(connection.closing?.[0]).toBe(1002);
  });

  it('hears nothing more once it is closed, and says goodbye after what was collected', () => {
    const { connection, owner, send } = setUp();
    send('last');
    connection.upstream.close(1000, 'done');
    connection.say('late');
    turn();
    connection.socket.close();
    expect(connection.texts).toEqual(['last']);
    expect(connection.closing).toEqual([1000, 'done']);
    expect(owner.messages).toEqual([]);
    expect(owner.gone).toEqual([]);
  });

  it('says goodbye only after a stalled write has left', () => {
    const { connection, send } = setUp();
    connection.socket.stall();
    send('a');
    turn();
    connection.upstream.close(1000, '');
    expect(connection.socket.ended).toBe(false);
    connection.socket.unstall();
    turn();
    expect(connection.closing?.[0]).toBe(1000);
    expect(connection.socket.ended).toBe(true);
  });

  it('is cut by force when the peer does not follow the goodbye', () => {
    const { connection } = setUp();
    connection.socket.stall();
    connection.upstream.close(1000, '');
    vi.advanceTimersByTime(1_999);
    connection.socket.stall();
    expect(connection.upstream.usable).toBe(false);
    vi.advanceTimersByTime(1);
    expect(connection.socket.destroyed).toBe(true);
  });

  it('tells its owner nothing when it is destroyed', () => {
    const { connection, owner } = setUp();
    connection.upstream.destroy();
    turn();
    expect(connection.socket.destroyed).toBe(true);
    expect(owner.gone).toEqual([]);
    expect(connection.closing).toBeUndefined();
  });

  it('is pinged while it is open, and cut when it does not answer', () => {
    const heartbeat = { add: vi.fn(), remove: vi.fn(), pong: vi.fn() };
    const { connection, owner } = setUp({ heartbeat });
    expect(heartbeat.add).toHaveBeenCalledWith(connection.upstream);
    connection.upstream.sendPing();
    turn();
    expect(connection.frames).toMatchObject([{ opcode: Opcode.Ping }]);
    connection.feed(frame({ opcode: Opcode.Pong }));
    expect(heartbeat.pong).toHaveBeenCalledTimes(1);
    connection.upstream.onHeartbeatLost();
    expect(heartbeat.remove).toHaveBeenCalledWith(connection.upstream);
    expect(owner.gone).toEqual([[1006, '']]);
    expect(connection.socket.destroyed).toBe(true);
  });

  it('counts anything that arrives as a sign of life', () => {
    const { connection } = setUp();
    connection.upstream.pingSentAtMs = 5;
    connection.say('x');
    expect(connection.upstream.pingSentAtMs).toBe(0);
  });
});
