import { describe, expect, it } from 'vitest';
import type { ClientSide } from '../client-side.ts';
import { noObserver } from '../observer.fixture.ts';
import { unlimited } from '../unlimited.fixture.ts';
import { EchoMode, type EchoStyle } from './echo.ts';

interface Said {
  readonly bytes: string;
  readonly isBinary: boolean;
}

function setUp(style: EchoStyle): {
  mode: EchoMode;
  refused: number[];
  replied: number[];
  say: (text: string, isBinary?: boolean) => Said[];
} {
  const said: Said[] = [];
  const refused: number[] = [];
  const replied: number[] = [];
  const observer = {
    ...noObserver,
    replied: (seconds: number) => replied.push(seconds),
    refused: (code: number) => refused.push(code),
  };
  let ms = 0;
  const mode = new EchoMode({ style, observer, now: () => ms, clockMs: () => (ms += 2) });
  const unused = (): void => {
    throw new Error('an echo is sent at once');
  };
  const client: ClientSide = {
    ...unlimited,
    deliver: unused,
    deliverSpliced: unused,
    onUpstreamClose: unused,
    send: (bytes, isBinary) => said.push({ bytes: Buffer.from(bytes).toString(), isBinary }),
  };
  const lease = mode.lease(client);
  const say = (text: string, isBinary = false): Said[] => {
    expect(lease.send(new Uint8Array(Buffer.from(text)), isBinary)).toBe(true);
    return said.splice(0);
  };
  return { mode, refused, replied, say };
}

const request = '{"jsonrpc":"2.0","id":"1","method":"echo","params":{"a":[1]}}';
const reply = { jsonrpc: '2.0', id: '1', result: { a: [1] } };

describe('EchoMode', () => {
  it('sends everything back as it is when asked to', () => {
    const { mode, replied, say } = setUp('verbatim');
    expect(say(request)).toEqual([{ bytes: request, isBinary: false }]);
    expect(say('\u0000', true)).toEqual([{ bytes: '\u0000', isBinary: true }]);
    expect(mode).toMatchObject({ accepted: 0, passedOn: 2 });
    expect(replied).toEqual([0.002, 0.002]);
  });

  it('answers a request with its params and its id, JSON type and all', () => {
    const { mode, replied, say } = setUp('json-rpc');
    expect(JSON.parse(say(request)[0]!.bytes)).toEqual(reply);
    expect(JSON.parse(say('{"jsonrpc":"2.0","id":1,"method":"x"}')[0]!.bytes)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: null,
    });
    expect(mode).toMatchObject({ accepted: 2, replied: 2, passedOn: 0 });
    expect(replied).toEqual([0.002, 0.002]);
  });

  it('does not answer a notification', () => {
    const { mode, say } = setUp('json-rpc');
    expect(say('{"jsonrpc":"2.0","method":"x"}')).toEqual([]);
    expect(mode.accepted).toBe(0);
  });

  it('answers a batch with one array, notifications left out', () => {
    const { say } = setUp('json-rpc');
    const answer = say(`[${request},{"jsonrpc":"2.0","method":"x"},5]`);
    expect(JSON.parse(answer[0]!.bytes)).toMatchObject([reply, { id: null, error: { code: -32600 } }]);
    expect(say('[{"jsonrpc":"2.0","method":"x"}]')).toEqual([]);
  });

  it('refuses what is no JSON-RPC', () => {
    const { refused, say } = setUp('json-rpc');
    expect(JSON.parse(say('{')[0]!.bytes)).toMatchObject({ id: null, error: { code: -32700 } });
    expect(JSON.parse(say('{"jsonrpc":"2.0","id":7}')[0]!.bytes)).toMatchObject({ error: { code: -32600 } });
    expect(JSON.parse(say('[]')[0]!.bytes)).toMatchObject({ id: null, error: { code: -32600 } });
    expect(refused).toEqual([-32700, -32600, -32600]);
  });

  it('sends back as it is what is no JSON-RPC when it does both', () => {
    const { say } = setUp('both');
    expect(say('hello')).toEqual([{ bytes: 'hello', isBinary: false }]);
    expect(JSON.parse(say(request)[0]!.bytes)).toEqual(reply);
  });

  it('survives a batch that is no JSON', () => {
    const { say } = setUp('json-rpc');
    expect(JSON.parse(say('[1,')[0]!.bytes)).toMatchObject({ id: null, error: { code: -32700 } });
  });

  it('survives nesting that is too deep', () => {
    const { say } = setUp('json-rpc');
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(JSON.parse(say(deep)[0]!.bytes)).toMatchObject({ id: null, error: {} });
  });

  it('answers a binary request as well', () => {
    expect(JSON.parse(setUp('json-rpc').say(request, true)[0]!.bytes)).toEqual(reply);
  });
});
