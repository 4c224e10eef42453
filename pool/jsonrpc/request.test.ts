import { describe, expect, it } from 'vitest';
import { Request } from './request.ts';
import { Scan, scanRequest } from './scan.ts';

function describeText(text: string, start = 0, end = Buffer.byteLength(text)): Request {
  const bytes = new Uint8Array(Buffer.from(text));
  const scan = new Scan();
  scanRequest(bytes, start, end, scan);
  const request = new Request();
  request.describe(bytes, start, end, scan);
  return request;
}

function withId(id: string): Request {
  return describeText(`{"jsonrpc":"2.0","id":${id},"method":"m"}`);
}

const slice = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.subarray(start, end)).toString();

describe('Request', () => {
  it('points at the id and the bounds of its message', () => {
    const text = '[{"jsonrpc":"2.0","id":"x","method":"m"}]';
    const request = describeText(text, 1, text.length - 1);
    expect(request.isNotification).toBe(false);
    expect(request.size).toBe(text.length - 2);
    expect(slice(request.bytes, request.cutStart, request.cutEnd)).toBe('"x"');
    expect(slice(request.id, request.idStart, request.idEnd)).toBe('"x"');
  });

  it('keeps the one spelling of an escaped id beside the place that it stands in', () => {
    const request = withId('"\\u0061"');
    expect(slice(request.bytes, request.cutStart, request.cutEnd)).toBe('"\\u0061"');
    expect(slice(request.id, request.idStart, request.idEnd)).toBe('"a"');
  });

  it('is a notification without an id', () => {
    const request = describeText('{"jsonrpc":"2.0","method":"m"}');
    expect(request.isNotification).toBe(true);
    expect(request.hasIdOf(request)).toBe(false);
  });

  it('has the id of another when value and JSON type are the same', () => {
    expect(withId('1').hasIdOf(withId('1'))).toBe(true);
    expect(withId('"a"').hasIdOf(withId('"\\u0061"'))).toBe(true);
    expect(withId('1').hasIdOf(withId('"1"'))).toBe(false);
    expect(withId('1').hasIdOf(withId('2'))).toBe(false);
    expect(withId('12').hasIdOf(withId('1'))).toBe(false);
  });

  it('outlives the network buffer once it is kept', () => {
    const text = '  [{"jsonrpc":"2.0","id":"x","method":"m"}]';
    const request = describeText(text, 3, text.length - 1);
    Object.assign(request, { acceptedAtMs: 1, deadlineMs: 2, queueDeadlineMs: 3, retriesLeft: 4 });
    const kept = request.keep();
    request.bytes.fill(0x21);
    expect(slice(kept.bytes, kept.start, kept.end)).toBe('{"jsonrpc":"2.0","id":"x","method":"m"}');
    expect(slice(kept.bytes, kept.cutStart, kept.cutEnd)).toBe('"x"');
    expect(slice(kept.id, kept.idStart, kept.idEnd)).toBe('"x"');
    expect(kept).toMatchObject({ acceptedAtMs: 1, deadlineMs: 2, queueDeadlineMs: 3, retriesLeft: 4 });
  });

  it('has bytes of its own even when it stood in a Buffer, whose slices share memory', () => {
    const bytes = Buffer.from('{"jsonrpc":"2.0","id":"x","method":"m"}');
    const scan = new Scan();
    scanRequest(bytes, 0, bytes.length, scan);
    const request = new Request();
    request.describe(bytes, 0, bytes.length, scan);
    const kept = request.keep();
    bytes.fill('!');
    expect(slice(kept.bytes, kept.start, kept.end)).toBe('{"jsonrpc":"2.0","id":"x","method":"m"}');
    expect(slice(kept.id, kept.idStart, kept.idEnd)).toBe('"x"');
  });

  it('stays a notification when it is kept', () => {
    const kept = describeText('{"jsonrpc":"2.0","method":"m"}').keep();
    expect(kept.isNotification).toBe(true);
    expect(slice(kept.bytes, kept.start, kept.end)).toBe('{"jsonrpc":"2.0","method":"m"}');
  });

  it('forgets batch and retries when it is used for the next message', () => {
    const request = withId('1');
    request.retriesLeft = 3;
    const bytes = Buffer.from('{"jsonrpc":"2.0","id":2,"method":"m"}');
    const scan = new Scan();
    scanRequest(bytes, 0, bytes.length, scan);
    request.describe(bytes, 0, bytes.length, scan);
    expect(request.retriesLeft).toBe(0);
    expect(request.batch).toBeUndefined();
  });
});
