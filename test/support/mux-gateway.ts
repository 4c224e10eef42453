import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { eventually } from './eventually.ts';
import { MUX, closeFrame, muxFrame, openFrame, parseMuxFrames, readLeb128 } from './mux-frames.ts';
import type { MuxFrame } from './mux-frames.ts';
import { onTearDown } from './tear-down.ts';

/** The gateway's end of one connection to a backend that speaks the mux protocol, for tests of backends. */
export class MuxGateway {
  /** The frames of each message, in order of arrival. */
  readonly received: MuxFrame[][] = [];
  /** How the connection was closed. */
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly #socket: WebSocket;
  readonly #clients = new Map<number, MuxClient>();
  #lastStream = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) throw new Error('a text message');
      const frames = parseMuxFrames(data);
      this.received.push(frames);
      for (const frame of frames) this.#clients.get(frame.stream)?.onFrame(frame);
    });
    socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
    socket.on('error', () => undefined);
  }

  /** Throws when the backend does not agree to the protocol. */
  static async connect(url: string, headers: Readonly<Record<string, string>> = {}): Promise<MuxGateway> {
    const socket = new WebSocket(url, 'wsluice.mux.v1', { headers });
    const gateway = new MuxGateway(socket);
    onTearDown(() => socket.terminate());
    await once(socket, 'open');
    return gateway;
  }

  /** All frames so far, or those of one stream. */
  frames(stream?: number): MuxFrame[] {
    return this.received.flat().filter((frame) => stream === undefined || frame.stream === stream);
  }

  /** Sends one message out of these frames. */
  send(...frames: readonly Uint8Array[]): void {
    this.#socket.send(Buffer.concat(frames));
  }

  sendText(text: string | Buffer): void {
    this.#socket.send(text, { binary: false });
  }

  /** Bytes that the backend did not take yet. */
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Cuts the connection. */
  terminate(): void {
    this.#socket.terminate();
  }

  close(): void {
    this.#socket.close();
  }

  /** Opens a stream; what OPEN says may be changed. */
  open(more: Readonly<Record<string, unknown>> = {}): MuxClient {
    const client = new MuxClient(this, ++this.#lastStream, more);
    this.#clients.set(client.id, client);
    this.send(openFrame(client.id, more));
    return client;
  }

  /** Opens a stream and waits until the backend has accepted it. */
  async accepted(more: Readonly<Record<string, unknown>> = {}): Promise<MuxClient> {
    const client = this.open(more);
    await eventually(() => {
      if (client.protocol === undefined) throw new Error('not accepted');
    });
    return client;
  }
}

/** A client on a stream. */
export class MuxClient {
  readonly id: number;
  readonly messages: (string | Buffer)[] = [];
  /** The subprotocol, as soon as the stream is accepted. */
  protocol: string | undefined;
  refused: { readonly status: number; readonly reason: string } | undefined;
  closed: { readonly code: number; readonly reason: string } | undefined;
  /** What may still be sent to the backend, and what it may still send. */
  credit = 0;
  backendsCredit: number;
  /** Whether it gives back the credit for what arrives. */
  readsOn = true;
  onMessage: (message: string | Buffer) => void = () => undefined;
  onClose: () => void = () => undefined;
  readonly #gateway: MuxGateway;
  readonly #queue: { readonly bytes: Buffer; readonly isBinary: boolean }[] = [];
  #parts: Buffer[] = [];
  #unread = 0;
  #closeSent = false;

  constructor(gateway: MuxGateway, id: number, more: Readonly<Record<string, unknown>>) {
    this.#gateway = gateway;
    this.id = id;
    this.backendsCredit = (more['window'] as number | undefined) ?? 262_144;
  }

  /** Sends one message, as fast as credit allows, in parts where it has to. */
  send(message: string | Uint8Array): void {
    this.#queue.push({ bytes: Buffer.from(message), isBinary: typeof message !== 'string' });
    this.#pump();
  }

  close(code?: number, reason?: string): void {
    this.#closeSent = true;
    this.#gateway.send(closeFrame(this.id, code, reason));
  }

  /** Gives back all credit for what has arrived. */
  readAll(): void {
    this.readsOn = true;
    this.#giveBack(1);
  }

  onFrame({ type, payload }: MuxFrame): void {
    if (this.closed !== undefined || this.refused !== undefined) throw new Error('a frame after the end');
    if (type === MUX.accept) {
      const [window, end] = readLeb128(payload);
      this.credit = window;
      this.protocol = payload.toString('utf8', end);
      this.#pump();
    } else if (type === MUX.refuse) {
      this.refused = { status: payload.readUInt16BE(0), reason: payload.toString('utf8', 2) };
      this.onClose();
    } else if (this.protocol === undefined) {
      throw new Error(`frame ${type} before ACCEPT`);
    } else if (type === MUX.window) {
      this.credit += readLeb128(payload)[0];
      this.#pump();
    } else if (type === MUX.ping) {
      this.#gateway.send(muxFrame(MUX.pong, this.id, payload));
    } else if (type === MUX.close) {
      this.#onClose(payload);
    } else if (type >= MUX.text && type <= MUX.binaryPart) {
      this.#onData(type, payload);
    }
  }

  #onData(type: number, payload: Buffer): void {
    this.backendsCredit -= payload.length + 16;
    if (this.backendsCredit < 0) throw new Error('the backend has no credit');
    this.#unread += payload.length + 16;
    this.#parts.push(payload);
    if (type === MUX.text || type === MUX.binary) {
      const bytes = Buffer.concat(this.#parts);
      this.#parts = [];
      const message = type === MUX.text ? bytes.toString() : bytes;
      this.messages.push(message);
      this.onMessage(message);
    }
    if (this.readsOn) this.#giveBack(32_768);
  }

  #giveBack(atLeast: number): void {
    if (this.#unread < atLeast || this.#closeSent) return;
    this.#gateway.send(muxFrame(MUX.window, this.id, leb(this.#unread)));
    this.backendsCredit += this.#unread;
    this.#unread = 0;
  }

  #onClose(payload: Buffer): void {
    const code = payload.length === 0 ? 1005 : payload.readUInt16BE(0);
    this.closed = { code, reason: payload.toString('utf8', 2) };
    if (!this.#closeSent) this.close(code === 1005 || code === 1006 ? undefined : code);
    this.onClose();
  }

  #pump(): void {
    for (let next = this.#queue[0]; next !== undefined && !this.#closeSent; next = this.#queue[0]) {
      const size = Math.min(next.bytes.length, 65_536, this.credit - 16);
      if (size < 0 || (size === 0 && next.bytes.length > 0)) return;
      const isLast = size === next.bytes.length;
      const type = (next.isBinary ? MUX.binary : MUX.text) + (isLast ? 0 : 2);
      this.credit -= size + 16;
      this.#gateway.send(muxFrame(type, this.id, next.bytes.subarray(0, size)));
      if (isLast) this.#queue.shift();
      else this.#queue[0] = { ...next, bytes: next.bytes.subarray(size) };
    }
  }
}

function leb(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** A WebSocket listener whose clients all go over one connection to the backend: the least that can be called a gateway. */
export async function startMuxBridge(backendUrl: string): Promise<{ url: string; gateway: MuxGateway }> {
  const gateway = await MuxGateway.connect(backendUrl);
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket, request) => bridge(gateway, socket, request));
  await once(server, 'listening');
  onTearDown(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, gateway };
}

function bridge(gateway: MuxGateway, socket: WebSocket, request: IncomingMessage): void {
  const protocols = socket.protocol === '' ? [] : [socket.protocol];
  const client = gateway.open({ path: request.url, protocols });
  client.onMessage = (message) => socket.send(message);
  client.onClose = () => {
    const code = client.closed?.code ?? 1005;
    if (code === 1006) socket.terminate();
    else socket.close(code === 1005 ? undefined : code, client.closed?.reason);
  };
  socket.on('message', (data: Buffer, isBinary) => client.send(isBinary ? data : data.toString()));
  socket.on('close', (code) => {
    if (client.closed === undefined && client.refused === undefined)
      client.close(code === 1005 ? undefined : code);
  });
}
