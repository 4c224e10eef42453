const head = Buffer.from('{"jsonrpc":"2.0","id":');
const call = Buffer.from(',"method":"echo","params":');
const result = Buffer.from(',"result":');
const comma = 0x2c;
const shorterBy = call.length - result.length;

/** Returns the JSON-RPC reply whose result is the request's params; it may overwrite and share the request's memory. */
export function replyTo(request: Uint8Array): Uint8Array {
  const idEnd = commaAfter(request, head.length);
  if (!holds(request, 0, head) || !holds(request, idEnd, call)) return parsedReplyTo(request);
  for (let i = idEnd - 1; i >= 0; i--) request[i + shorterBy] = request[i]!;
  for (let i = 0; i < result.length; i++) request[idEnd + shorterBy + i] = result[i]!;
  return request.subarray(shorterBy);
}

function commaAfter(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== comma) at++;
  return at;
}

function holds(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}

function parsedReplyTo(request: Uint8Array): Uint8Array {
  const { id, params } = JSON.parse(Buffer.from(request).toString()) as { id: unknown; params: unknown };
  return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: params }));
}
