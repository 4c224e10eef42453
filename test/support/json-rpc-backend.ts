import type { RawData, WebSocket } from 'ws';
import { startBackend } from './backend.ts';
import type { Backend, BackendOptions } from './backend.ts';
import { seededRandom, shuffle } from './random.ts';

/** How replies leave the backend. */
export interface JsonRpcBackendOptions extends Partial<BackendOptions> {
  /** What `whoami` answers. */
  readonly name?: string;
  /** Holds replies and lets all of them go every so many milliseconds, in an order drawn from `seed`. */
  readonly shuffleEveryMs?: number;
  readonly seed?: number;
}

/** A backend that speaks JSON-RPC 2.0 and remembers each message it got. */
export interface JsonRpcBackend extends Backend {
  /** Each message as received, before parsing. */
  readonly received: readonly string[];
  /** Those of them that are no JSON to `JSON.parse`. */
  readonly malformed: readonly string[];
}

/** A JSON-RPC 2.0 request as a client or the gateway writes it. */
export interface RpcRequest {
  readonly id?: unknown;
  readonly method: string;
  readonly params?: unknown;
}

type Reply = (payload: unknown) => void;

/**
 * Starts a JSON-RPC backend with the methods `echo` (result = params), `whoami`, `error` (params = the error object),
 * `never` (no reply), `late` (replies after `params.ms`), `dup` (replies twice) and `unsolicited` (a notification and
 * replies with ids that nobody asked about, then the reply).
 */
export async function startJsonRpcBackend(options: JsonRpcBackendOptions = {}): Promise<JsonRpcBackend> {
  const received: string[] = [];
  const malformed: string[] = [];
  const send =
    options.shuffleEveryMs === undefined ? sendNow : shuffledSend(options.shuffleEveryMs, options.seed ?? 1);
  const backend = await startBackend({
    ...options,
    onConnection: (socket, request) => {
      options.onConnection?.(socket, request);
      const reply: Reply = (payload) => send(socket, JSON.stringify(payload));
      socket.on('message', (data: RawData) => {
        const text = rawText(data);
        received.push(text);
        const calls = parseCalls(text);
        if (calls === undefined) malformed.push(text);
        for (const call of calls ?? []) answer(call, reply, options.name ?? 'backend');
      });
    },
  });
  return { ...backend, received, malformed };
}

function parseCalls(text: string): RpcRequest[] | undefined {
  try {
    const parsed = JSON.parse(text) as RpcRequest | RpcRequest[];
    return Array.isArray(parsed) ? parsed : [parsed];
  } catch {
    return undefined;
  }
}

function answer(call: RpcRequest, reply: Reply, name: string): void {
  if (call.id === undefined) return;
  const result = (value: unknown): void => reply({ jsonrpc: '2.0', id: call.id, result: value ?? null });
  const { params } = call;
  const methods: Readonly<Record<string, () => void>> = {
    echo: () => result(params),
    whoami: () => result(name),
    error: () => reply({ jsonrpc: '2.0', id: call.id, error: params }),
    never: () => undefined,
    late: () => void setTimeout(() => result(params), (params as { ms: number }).ms),
    dup: () => {
      result(params);
      result('the second reply');
    },
    unsolicited: () => {
      reply({ jsonrpc: '2.0', method: 'announce', params: { secret: 'for nobody' } });
      for (const id of [999_999, -1, 0, 'x', null]) reply({ jsonrpc: '2.0', id, result: 'for nobody' });
      result(params);
    },
  };
  if (Object.hasOwn(methods, call.method)) methods[call.method]!();
  else reply({ jsonrpc: '2.0', id: call.id, error: { code: -32601, message: `no method ${call.method}` } });
}

function sendNow(socket: WebSocket, text: string): void {
  if (socket.readyState === socket.OPEN) socket.send(text);
}

function shuffledSend(everyMs: number, seed: number): (socket: WebSocket, text: string) => void {
  const random = seededRandom(seed);
  const held: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  const letGo = (): void => {
    timer = undefined;
    for (const sendHeld of shuffle(held.splice(0), random)) sendHeld();
  };
  return (socket, text) => {
    held.push(() => sendNow(socket, text));
    timer ??= setTimeout(letGo, everyMs);
  };
}

/** The text of a message from `ws`. */
export function rawText(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}
