/** More than an upstream connection collects before it looks whether it is congested. */
export const largeBytes = 70_000;
/** Few, so that duplicates occur. */
export const ids = ['1', '"1"', '"a"', '"\\u0061"', '0', '-7', '9007199254740991', '""', '"日本"'];
/** No JSON. */
export const garbage = ['', '{', 'hello', '{"jsonrpc":"2.0","id":1,"method":"m"', '[1,', '\u0000'];
/** JSON, and no message that can be forwarded. */
export const invalid = [
  '5',
  '{"jsonrpc":"1.0","id":1,"method":"m"}',
  '{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}',
  '{"jsonrpc":"2.0","id":null,"method":"m"}',
  '{"jsonrpc":"2.0","id":1.5,"method":"m"}',
  '{"jsonrpc":"2.0","id":1,"result":true}',
  '{"jsonrpc":"2.0","id":9007199254740993,"method":"m"}',
  `{"jsonrpc":"2.0","id":1,"method":"m","params":${'['.repeat(64)}${']'.repeat(64)}}`,
  `{"jsonrpc":"2.0","id":"${'x'.repeat(129)}","method":"m"}`,
  '[]',
];
/** The same as elements of a batch. */
export const invalidElements = ['5', '{"foo":1}', '[]', '{"jsonrpc":"2.0","id":null,"method":"m"}'];

/** What stands before and after the id; a notification in one piece. */
export function requestText(form: number, method: string, params: string, id: string): [string, string] {
  const body = `"jsonrpc":"2.0","method":"${method}","params":${params}`;
  if (id === '') return [`{${body}}`, ''];
  if (form % 4 === 0) return [`{${body},"id":`, '}'];
  if (form % 4 === 1)
    return [` { "id" : `, ` ,\n\t"params":${params}, "method": "${method}", "jsonrpc":"2.0" } `];
  return [`{"jsonrpc":"2.0","id":`, `,"method":"${method}","params":${params}}`];
}

/** A reply that carries the token, in one of several forms. */
export function replyText(form: number, id: string, token: string): string {
  const outcome =
    form % 3 === 0
      ? `"error":{"code":-32001,"message":"no","data":{"token":"${token}"}}`
      : `"result":{"token":"${token}","id":77,"text":"\\",\\"id\\":78}"}`;
  if (form % 4 === 0) return `{"jsonrpc":"2.0","id":${id},${outcome}}`;
  if (form % 4 === 1) return `{"jsonrpc":"2.0",${outcome},"id":${id}}`;
  if (form % 4 === 2) return ` {${outcome} , "id" : ${id} , "jsonrpc":"2.0"} `;
  return `{"id":${id},${outcome},"jsonrpc":"2.0"}\n`;
}

/** One of the items, the same for the same number; undefined when there is none. */
export function pick<T>(items: readonly T[], which: number): T | undefined {
  return items[which % items.length];
}
