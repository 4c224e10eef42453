import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { scanText, textOf, value } from './scan.fixture.ts';
import { MAX_REPLY_DEPTH, Scan, scanReply } from './scan.ts';

const scan = (text: string) => scanText(scanReply, text);

describe('messages', () => {
  test.each([
    ['{"jsonrpc":"2.0","id":17,"result":{}}', 'Response', '17'],
    ['{"jsonrpc": "2.0", "id": 17, "error": {}}', 'Response', '17'],
    ['{"jsonrpc":"2.0","result":{"id":1},"id":17}', 'Response', '17'],
    ['{"jsonrpc": "2.0", "result": ",", "id": 17}\n', 'Response', '17'],
    ['{"result":1,"id":17,"jsonrpc":"2.0"}', 'Response', '17'],
    ['{"jsonrpc":"2.0","error":null,"result":1,"id":17}', 'Response', '17'],
    ['{"jsonrpc":"2.0","result":1,"id":"a"}', 'Response', '"a"'],
    ['{"jsonrpc":"2.0","result":"\\",\\"id\\":5}","id":17}', 'Response', '17'],
    ['{"jsonrpc":"2.0","result":{"x":1,"id":5},"id":17,"x":[{"y":1,"id":5}]}', 'Response', '17'],
    ['{"jsonrpc":"2.0","id":null,"error":{}}', 'Response', undefined],
    ['{"jsonrpc":"2.0","error":{},"id":null}', 'Response', undefined],
    ['{"jsonrpc":"2.0","method":"m","id":17}', 'Request', '17'],
    ['{"jsonrpc":"2.0","id":"17","method":"m","params":[]}', 'Request', '"17"'],
    ['{"jsonrpc":"2.0","method":"m","params":{"id":17}}', 'Notification', undefined],
    ['{"jsonrpc":"2.0","method":"m","id":null}', 'Notification', undefined],
    ['[{"id":17}]', 'Batch', undefined],
  ])('takes %s', (text, kind, id) => {
    expect(scan(text)).toMatchObject({ kind, id, fault: '' });
  });

  test.each([
    ['an object without meaning', '{"jsonrpc":"2.0"}'],
    ['a response without an id', '{"jsonrpc":"2.0","result":{"a":1,"id":5}}'],
    ['a method and then a result', '{"jsonrpc":"2.0","method":"m","result":1,"id":17}'],
    ['a result and then a method', '{"jsonrpc":"2.0","result":1,"method":"m","id":"17"}'],
    ['an escaped key', '{"\\u0069d":5,"id":17,"result":1}'],
    ['a key in other letters', '{"Id":5,"id":17,"result":1}'],
    ['an id twice', '{"id":5,"id":17,"result":1}'],
    ['an id of a wrong type', '{"id":[17],"result":1}'],
    ['a scalar', '17'],
  ])('calls %s invalid', (_, text) => {
    expect(scan(text).kind).toBe('Invalid');
  });

  test.each([
    ['nothing', ''],
    ['a notification that is cut short', '{"jsonrpc":"2.0","method":"m","params":[1,2'],
    ['bad JSON before the id', '{"jsonrpc":"2.0","result":[1,],"id":17,"x":1}'],
    ['a string of half a message', '"{'],
    ['an id with a leading zero', '{"result":1,"id":05}'],
    ['an id that is cut short', '{"result":1,"id":5'],
  ])('calls %s not JSON', (_, text) => {
    expect(scan(text)).toMatchObject({ kind: 'NotJson', id: undefined });
  });
});

describe('early return', () => {
  it('reads nothing after the key that settles a response or the method of a request', () => {
    expect(scan('{"jsonrpc":"2.0","id":17,"result":!!').kind).toBe('Response');
    expect(scan('{"jsonrpc":"2.0","id":17,"method":"m",!!').kind).toBe('Request');
    expect(scan('{"jsonrpc":"2.0","method":"m","id":17}!!').kind).toBe('Request');
  });

  it('skips a result of any depth when the id is last, and else one up to its limit', () => {
    const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(scan(`{"result":${deep(100_000)},"id":17}`)).toMatchObject({ kind: 'Response', id: '17' });
    expect(scan(`{"result":${deep(MAX_REPLY_DEPTH - 1)},"id":17,"x":1}`).kind).toBe('Response');
    expect(scan(`{"result":${deep(MAX_REPLY_DEPTH)},"id":17,"x":1}`).kind).toBe('Invalid');
  });
});

describe('the id at the end', () => {
  test.each([
    '{"result":1,"x":{"a":1,"id":5}}',
    '{"result":1,"xid":5}',
    '{"result":{"a":1,"id":5}}',
    '{"result":"\\",\\"id\\":5}"}',
    '{"result":5}',
    '{"result":{"id":5}',
    '{"result":1,"id":5]',
    '{"result":1,"id":05}',
    '{"result":1,"id":5.0}',
  ])('is not found in %s', (text) => {
    expect(scan(text).id).toBeUndefined();
  });

  it('is the right one in any order, whitespace and company', () => {
    const into = new Scan();
    const property = fc.property(
      fc.maxSafeInteger().filter((id) => id >= 0),
      fc.constantFrom('result', 'error'),
      value,
      fc.dictionary(
        fc.stringMatching(/^[a-h_]{1,8}$/).filter((key) => key !== 'id'),
        value,
        { maxKeys: 3 },
      ),
      fc.array(fc.nat({ max: 255 }), { maxLength: 30 }),
      fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
      (id, outcome, result, others, noise, order) => {
        const entries = Object.entries({ jsonrpc: '2.0', id, [outcome]: result, ...others });
        const shuffled = entries.map((entry, i) => [order[i]!, entry] as const).sort(([a], [b]) => a - b);
        const text = textOf(
          shuffled.map(([, entry]) => entry),
          noise,
        );
        expect(scanText(scanReply, text, into)).toMatchObject({ kind: 'Response', id: String(id) });
      },
    );
    fc.assert(property, { numRuns: 3000 });
  });
});
