import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parsed, scanText, textOf, value } from './scan.fixture.ts';
import { hasOtherKeys, MAX_REQUEST_DEPTH, Scan, scanReply, scanRequest } from './scan.ts';

const scan = (text: string) => scanText(scanRequest, text);
const longId = JSON.stringify('x'.repeat(128));

describe('what it accepts', () => {
  test.each([
    ['{"jsonrpc":"2.0","id":1,"method":"m"}', 'Request', '1', 'm'],
    ['{"jsonrpc":"2.0","method":"m","params":{},"id":"1"}', 'Request', '"1"', 'm'],
    ['\t{ "method" : "m" ,\r\n"id" : "" , "jsonrpc" : "2.0" } ', 'Request', '""', 'm'],
    ['{"jsonrpc":"2.0","id":0,"method":"","params":[]}', 'Request', '0', ''],
    ['{"jsonrpc":"2.0","id":9007199254740991,"method":"m"}', 'Request', '9007199254740991', 'm'],
    ['{"jsonrpc":"2.0","id":-9007199254740991,"method":"m"}', 'Request', '-9007199254740991', 'm'],
    [`{"jsonrpc":"2.0","id":${longId},"method":"m"}`, 'Request', longId, 'm'],
    ['{"jsonrpc":"2.0","id":"\\u0061\\"","method":"a\\/b"}', 'Request', '"\\u0061\\""', 'a\\/b'],
    [
      '{"jsonrpc":"2.0","id":1,"method":"m","__proto__":{"id":2},"constructor":0,"idx":0}',
      'Request',
      '1',
      'm',
    ],
    [
      '{"jsonrpc":"2.0","id":1,"method":"m","params":{"id":2,"ID":3,"\\u0069d":4,"method":"n"}}',
      'Request',
      '1',
      'm',
    ],
    // The upstream says what params it takes: a string is against the specification and yet seen in the wild.
    ['{"jsonrpc":"2.0","id":1,"method":"m","params":"p"}', 'Request', '1', 'm'],
    ['{"jsonrpc":"2.0","id":1,"method":"m","params":null}', 'Request', '1', 'm'],
    ['{"jsonrpc":"2.0","method":"m"}', 'Notification', undefined, 'm'],
    ['{"jsonrpc":"2.0","id":1,"result":null}', 'Response', '1', undefined],
    ['{"error":{"code":1,"message":""},"jsonrpc":"2.0","id":"a"}', 'Response', '"a"', undefined],
  ])('takes %s', (text, kind, id, method) => {
    expect(scan(text)).toEqual({ kind, id, method, fault: '' });
  });

  test.each(['[]', ' [{"jsonrpc":"2.0"}]', '[1'])('leaves the contents of %s to splitBatch', (text) => {
    expect(scan(text)).toEqual({ kind: 'Batch', id: undefined, method: undefined, fault: '' });
  });
});

describe('what it calls invalid', () => {
  test.each([
    ['a scalar', '1', undefined],
    ['a string', ' "a" ', undefined],
    ['null', 'null', undefined],
    ['an empty object', '{}', undefined],
    ['no version', '{"id":1,"method":"m"}', '1'],
    ['another version', '{"jsonrpc":"1.0","id":1,"method":"m"}', '1'],
    ['a version as a number', '{"jsonrpc":2.0,"id":1,"method":"m"}', '1'],
    ['a number around the version', '{"jsonrpc":12.03,"id":1,"method":"m"}', '1'],
    ['an escaped version', '{"jsonrpc":"2\\u002e0","id":1,"method":"m"}', '1'],
    ['a method that is no string', '{"jsonrpc":"2.0","id":1,"method":["m"]}', '1'],
    ['neither method nor result', '{"jsonrpc":"2.0","id":1}', '1'],
    ['a result without an id', '{"jsonrpc":"2.0","result":1}', undefined],
    ['a method and a result', '{"jsonrpc":"2.0","id":1,"method":"m","result":1}', '1'],
    ['a method and an error', '{"jsonrpc":"2.0","error":1,"id":1,"method":"m"}', '1'],
    ['a null id', '{"jsonrpc":"2.0","id":null,"method":"m"}', undefined],
    ['a null id of a response', '{"jsonrpc":"2.0","id":null,"error":{}}', undefined],
    ['a boolean id', '{"jsonrpc":"2.0","id":true,"method":"m"}', undefined],
    ['an object as id', '{"jsonrpc":"2.0","id":{},"method":"m"}', undefined],
    ['an array as id', '{"jsonrpc":"2.0","id":[1],"method":"m"}', undefined],
    ['a fraction as id', '{"jsonrpc":"2.0","id":1.0,"method":"m"}', undefined],
    ['an exponent in the id', '{"jsonrpc":"2.0","id":1e3,"method":"m"}', undefined],
    ['minus zero as id', '{"jsonrpc":"2.0","id":-0,"method":"m"}', undefined],
    ['2^53 as id', '{"jsonrpc":"2.0","id":9007199254740992,"method":"m"}', undefined],
    ['2^53 + 1 as id', '{"jsonrpc":"2.0","id":9007199254740993,"method":"m"}', undefined],
    ['−2^53 as id', '{"jsonrpc":"2.0","id":-9007199254740992,"method":"m"}', undefined],
    ['a 30-digit id', `{"jsonrpc":"2.0","id":${'1'.repeat(30)},"method":"m"}`, undefined],
    ['an id of 129 bytes', `{"jsonrpc":"2.0","id":"x${longId.slice(1)},"method":"m"}`, undefined],
    ['an id of 43 three-byte letters', `{"jsonrpc":"2.0","id":"${'あ'.repeat(43)}","method":"m"}`, undefined],
    ['an id twice', '{"jsonrpc":"2.0","id":1,"method":"m","id":2}', undefined],
    ['the same id twice', '{"jsonrpc":"2.0","id":1,"method":"m","id":1}', undefined],
    ['a bad id, then a good one', '{"jsonrpc":"2.0","id":{},"method":"m","id":1}', undefined],
    ['a null id, then a good one', '{"jsonrpc":"2.0","id":null,"method":"m","id":1}', undefined],
    ['a method twice', '{"jsonrpc":"2.0","id":1,"method":"m","method":"m"}', '1'],
    ['a version twice', '{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"m"}', '1'],
    ['params twice', '{"jsonrpc":"2.0","id":1,"method":"m","params":[],"params":[]}', '1'],
    ['a result twice', '{"jsonrpc":"2.0","id":1,"result":1,"result":1}', '1'],
    ['an error twice', '{"jsonrpc":"2.0","id":1,"error":1,"error":1}', '1'],
    ['an escaped key', '{"jsonrpc":"2.0","id":1,"method":"m","\\u0069d":2}', undefined],
    ['an escape in any key', '{"jsonrpc":"2.0","id":1,"method":"m","a\\n":2}', undefined],
    ['a key that Go reads as id', '{"jsonrpc":"2.0","id":1,"method":"m","ID":2}', undefined],
    ['a key that .NET reads as method', '{"jsonrpc":"2.0","id":1,"method":"m","Method":"n"}', undefined],
  ])('refuses %s', (_, text, id) => {
    const found = scan(text);
    expect(found.kind).toBe('Invalid');
    expect(found.id).toBe(id);
    expect(found.fault).not.toBe('');
  });
});

describe('what it calls not JSON', () => {
  const request = (params: string) => `{"jsonrpc":"2.0","id":1,"method":"m","params":${params}}`;
  test.each([
    ['nothing', ''],
    ['spaces', ' \n'],
    ['half an object', '{"jsonrpc":"2.0","id":1,"method":"m"'],
    ['half a key', '{"jsonrpc":"2.0","i'],
    ['a key without a value', '{"jsonrpc":"2.0","id":}'],
    ['a key without a colon', '{"jsonrpc":"2.0","id" 1}'],
    ['a key without quotes', '{"jsonrpc":"2.0",id:1}'],
    ['a comma after the version', '{"jsonrpc":"2.0",}'],
    ['a trailing comma', '{"jsonrpc":"2.0","id":1,"method":"m",}'],
    ['two commas', '{"jsonrpc":"2.0",,"id":1}'],
    ['trailing bytes', '{"jsonrpc":"2.0","id":1,"method":"m"}x'],
    ['two messages', '{"jsonrpc":"2.0","method":"m"}{}'],
    ['a byte order mark', '\ufeff{"jsonrpc":"2.0","id":1,"method":"m"}'],
    ['a no-break space', '\u00a0{"jsonrpc":"2.0","id":1,"method":"m"}'],
    ['a vertical tab', '\v{"jsonrpc":"2.0","id":1,"method":"m"}'],
    ['a comment', '/**/{"jsonrpc":"2.0","id":1,"method":"m"}'],
    ['single quotes', request("['a']")],
    ['a control character in a string', request('["\n"]')],
    ['a NUL in a string', request('["\0"]')],
    ['a NUL in a key', '{"id\0":1}'],
    ['an unknown escape', request('["\\x"]')],
    ['a short unicode escape', request('["\\u12"]')],
    ['a bad unicode escape', request('["\\u12g4"]')],
    ['a string that does not end', request('["a')],
    ['a string that ends in a backslash', request('["a\\')],
    ['the wrong bracket', request('[1}')],
    ['the other wrong bracket', request('{"a":1]')],
    ['a trailing comma in an array', request('[1,]')],
    ['a trailing comma in an object', request('{"a":1,}')],
    ['an array with a gap', request('[,1]')],
    ['an object without values', request('{"a"}')],
    ['a member in an array', request('["a":1]')],
  ])('refuses %s', (_, text) => {
    expect(parsed(text)).toBeUndefined();
    expect(scan(text)).toMatchObject({
      kind: 'NotJson',
      id: undefined,
      fault: 'the message is not valid JSON',
    });
  });

  test.each(
    '01 - +1 1. .5 1e 1e+ -01 1.e3 0x1 NaN Infinity 1_0 --1 1.5.2 tru True nul nulll falsy undefined'.split(
      ' ',
    ),
  )('refuses %s as a value', (word) => {
    expect(parsed(word)).toBeUndefined();
    expect(scan(request(`[${word}]`)).kind).toBe('NotJson');
  });

  test.each('0 -0 -1.5 1e5 1E+05 0.0e-0 120 9e999 true false null {} [] "" "\\ud800"'.split(' '))(
    'takes %s as a value',
    (word) => {
      expect(parsed(word)).toBeDefined();
      expect(scan(request(`[${word}]`)).kind).toBe('Request');
    },
  );

  it('never reads past the end of a message into what follows it in the buffer', () => {
    const params =
      '{"text":"a text of more than a few bytes \\u0041\\n","all":[true,false,null,-1.5e+10,{}]}';
    const bytes = Buffer.from(
      `{"jsonrpc":"2.0","id":"17","method":"m","params":${params}, "other":1,"error":1}`,
    );
    const into = new Scan();
    for (let end = 0; end < bytes.length; end++) {
      scanRequest(bytes, 0, end, into);
      expect([end, into.fault]).toEqual([end, 'the message is not valid JSON']);
    }
  });

  it('finds bad JSON after everything that matters, and after what is invalid', () => {
    expect(scan('{"jsonrpc":"2.0","id":1,"method":"m","a":[1,2}').kind).toBe('NotJson');
    expect(scan('{"jsonrpc":"1.0","id":null,"method":1,"a":[1,2}').kind).toBe('NotJson');
  });
});

describe('depth', () => {
  const nested = (depth: number, open = '[', close = ']') =>
    `{"jsonrpc":"2.0","id":1,"method":"m","params":${open.repeat(depth - 1)}${close.repeat(depth - 1)}}`;

  it('takes a message 64 deep and refuses one 65 deep, keeping its id', () => {
    expect(scan(nested(MAX_REQUEST_DEPTH)).kind).toBe('Request');
    expect(scan(nested(MAX_REQUEST_DEPTH + 1))).toMatchObject({ kind: 'Invalid', id: '1' });
    expect(scan(nested(MAX_REQUEST_DEPTH + 1, '[{"a":', '}]')).kind).toBe('Invalid');
  });

  it('stops at the limit whatever follows', () => {
    expect(scan(nested(1_000_001)).kind).toBe('Invalid');
    expect(scan(`{"jsonrpc":"2.0","params":${'{"a":'.repeat(1_000_000)}`).kind).toBe('Invalid');
  });
});

describe('against JSON.parse', () => {
  const reserved = fc.record(
    {
      jsonrpc: fc.oneof({ weight: 9, arbitrary: fc.constant('2.0') }, { weight: 1, arbitrary: value }),
      id: fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.string({ unit: 'binary', maxLength: 20 }), value),
      method: fc.oneof({ weight: 5, arbitrary: fc.string() }, { weight: 1, arbitrary: value }),
      params: fc.oneof(fc.array(value), fc.dictionary(fc.string(), value), value),
      result: value,
      error: value,
    },
    { requiredKeys: [] },
  );
  const others = fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), value);
  const members = fc
    .tuple(
      fc.oneof(
        { weight: 4, arbitrary: reserved.map((all) => ({ ...all, result: undefined, error: undefined })) },
        reserved,
      ),
      others,
    )
    .map(([known, other]) => Object.entries({ ...other, ...known }).filter(([, item]) => item !== undefined))
    .chain((entries) => fc.shuffledSubarray(entries, { minLength: entries.length }));
  const noise = fc.array(fc.nat({ max: 255 }), { maxLength: 30 });

  /** The rules for a message whose keys are distinct, told again in terms of the parsed object. */
  function expectedKind(message: Record<string, unknown>): string {
    const has = (key: string): boolean => Object.hasOwn(message, key);
    const { id, method } = message;
    const idIsGood = typeof id === 'string' || Number.isSafeInteger(id);
    const hasOutcome = has('result') || has('error');
    if (message['jsonrpc'] !== '2.0' || (has('id') && !idIsGood)) return 'Invalid';
    if (has('method'))
      return typeof method !== 'string' || hasOutcome ? 'Invalid' : has('id') ? 'Request' : 'Notification';
    return hasOutcome && has('id') ? 'Response' : 'Invalid';
  }

  it('agrees on random messages with random order, whitespace and escapes', () => {
    const into = new Scan();
    fc.assert(
      fc.property(members, noise, (entries, turns) => {
        const text = textOf(entries, turns);
        const message = JSON.parse(text) as Record<string, unknown>;
        const found = scanText(scanRequest, text, into);
        expect(found.kind).toBe(expectedKind(message));
        if (found.id !== undefined) expect(JSON.parse(found.id)).toEqual(message['id']);
        if (found.method !== undefined) expect(JSON.parse(`"${found.method}"`)).toBe(message['method']);
      }),
      { numRuns: 3000 },
    );
  });

  it('agrees on what is JSON after random edits', () => {
    const into = new Scan();
    const edit = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 3 }),
      insert: fc.oneof(
        fc.constantFrom(
          ...Array.from('{}[]",:\\ \t\n\r\0-+.eE0159tfnu/'),
          'true',
          'null',
          '"id":',
          '\\u0041',
          '1e5',
        ),
        fc.stringMatching(/^[\x00-\x7f]{0,2}$/),
      ),
    });
    fc.assert(
      fc.property(members, noise, fc.array(edit, { minLength: 1, maxLength: 3 }), (entries, turns, edits) => {
        let text = textOf(entries, turns);
        for (const { at, remove, insert } of edits) {
          const pos = at % (text.length + 1);
          text = text.slice(0, pos) + insert + text.slice(pos + remove);
        }
        text = Buffer.from(text).toString(); // an edit may have cut a surrogate pair in two
        const found = scanText(scanRequest, text, into);
        if (found.kind === 'Batch') return;
        const message = parsed(text);
        expect(found.kind === 'NotJson').toBe(message === undefined);
        if (found.kind === 'NotJson' || found.kind === 'Invalid') return;
        const { id, method } = message as Record<string, unknown>;
        expect(found.id === undefined ? undefined : JSON.parse(found.id)).toEqual(id);
        expect(found.method === undefined ? undefined : JSON.parse(`"${found.method}"`)).toEqual(method);
      }),
      { numRuns: 6000 },
    );
  });

  it('finds an id token whose replacement changes the id alone', () => {
    fc.assert(
      fc.property(members, noise, fc.nat(), (entries, turns, wireId) => {
        const bytes = Buffer.from(textOf(entries, turns));
        const into = new Scan();
        scanRequest(bytes, 0, bytes.length, into);
        if (into.idStart < 0) return;
        const digits = Buffer.from(String(wireId));
        const rewritten = Buffer.concat([
          bytes.subarray(0, into.idStart),
          digits,
          bytes.subarray(into.idEnd),
        ]);
        const before = JSON.parse(bytes.toString()) as object;
        expect(JSON.parse(rewritten.toString())).toEqual({ ...before, id: wireId });
      }),
      { numRuns: 1500 },
    );
  });

  it('never throws or leaves the kind unset on random bytes', () => {
    const into = new Scan();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const framed = Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":1,'), bytes]);
        scanRequest(framed, 0, framed.length, into);
        expect(into.fault).not.toBe('');
      }),
    );
  });
});

describe('params and other keys', () => {
  test.each([
    ['{"jsonrpc":"2.0","id":1,"method":"m"}', undefined, false],
    ['{"jsonrpc":"2.0","id":1,"method":"m","params" : [1, {"params":2}] }', '[1, {"params":2}]', false],
    ['{"params":{},"x":1,"jsonrpc":"2.0","method":"m"}', '{}', true],
  ])('of %s are noted', (text, params, others) => {
    for (const scanner of [scanRequest, scanReply]) {
      const into = new Scan();
      scanner(Buffer.from(text.replace('"id":1,', '')), 0, text.replace('"id":1,', '').length, into);
      const from = text.replace('"id":1,', '');
      expect(into.paramsStart < 0 ? undefined : from.slice(into.paramsStart, into.paramsEnd)).toBe(params);
      expect(hasOtherKeys(into)).toBe(others);
    }
  });
});
