import { App, type WebSocket } from 'uWebSockets.js';
import { MuxFrameReader, type MuxFrameHandler } from '../../pool/mux/frame-reader.ts';
import { MuxFrameWriter } from '../../pool/mux/frame-writer.ts';
import { dataCost, muxSubprotocol } from '../../pool/mux/frames.ts';
import { replyTo } from './jsonrpc-echo.ts';

/** A bare uWebSockets.js server that speaks mux and answers JSON-RPC requests, in a process of its own: `mux-backend.ts <port>`. */
const port = Number(process.argv[2]);
const windowBytes = 262_144;
const floodMessage = Buffer.alloc(8_000, 'f');
const openByPath = new Map<string, number>();

interface Opening {
  readonly path: string;
  readonly window: number;
}

interface Carrier {
  readonly path: string;
  connection: Connection | undefined;
}

/** One carrying connection: answers each request at once, all of a message in one message. */
class Connection implements MuxFrameHandler {
  readonly #reader = new MuxFrameReader({ handler: this, from: 'gateway' });
  readonly #writer = new MuxFrameWriter();
  readonly #used = new Map<number, number>();
  /** What may still be sent on the streams that asked for a flood. */
  readonly #floods = new Map<number, number>();
  readonly #socket: WebSocket<Carrier>;

  constructor(socket: WebSocket<Carrier>) {
    this.#socket = socket;
  }

  receive(message: ArrayBuffer, isBinary: boolean): void {
    this.#reader.push(new Uint8Array(message), 0, message.byteLength, isBinary);
    this.#send();
  }

  onData(
    stream: number,
    buf: Uint8Array,
    start: number,
    end: number,
    isBinary: boolean,
    isLast: boolean,
  ): void {
    if (!isLast) throw new Error('requests come in one part here');
    if (this.#writer.full) this.#send();
    const reply = replyTo(buf.subarray(start, end));
    this.#writer.data(stream, reply, 0, reply.length, isBinary, true);
    const used = this.#used.get(stream)! + dataCost(end - start);
    if (used * 2 >= windowBytes) this.#writer.window(stream, used);
    this.#used.set(stream, used * 2 >= windowBytes ? 0 : used);
  }

  onOpen(stream: number, buf: Uint8Array, start: number, end: number): void {
    const { path, window } = JSON.parse(Buffer.from(buf.subarray(start, end)).toString()) as Opening;
    this.#used.set(stream, 0);
    this.#writer.accept(stream, windowBytes, '');
    if (!path.endsWith('?stall')) return;
    this.#floods.set(stream, window);
    this.#flood(stream);
  }

  /** The loader reads at once, so that its replies never wait for credit; a flood does. */
  onWindow(stream: number, credit: number): void {
    const left = this.#floods.get(stream);
    if (left === undefined) return;
    this.#floods.set(stream, left + credit);
    this.#flood(stream);
  }

  onClose(stream: number, code: number, reason: string): void {
    this.#used.delete(stream);
    this.#floods.delete(stream);
    this.#writer.close(stream, code, reason);
  }

  onPing(stream: number, buf: Uint8Array, start: number, end: number): void {
    this.#writer.pong(stream, buf, start, end);
  }

  onBreach(problem: string): void {
    throw new Error(problem);
  }

  onPong(): void {}
  onAccept(): void {}
  onRefuse(): void {}
  onGoAway(): void {}

  #flood(stream: number): void {
    let left = this.#floods.get(stream)!;
    for (const cost = dataCost(floodMessage.length); left >= cost; left -= cost) {
      if (this.#writer.full) this.#send();
      this.#writer.data(stream, floodMessage, 0, floodMessage.length, true, true);
    }
    this.#floods.set(stream, left);
  }

  #send(): void {
    if (this.#writer.length > 0) this.#socket.send(this.#writer.take(), true);
  }
}

const app = App();
app.ws<Carrier>('/*', {
  idleTimeout: 0,
  maxPayloadLength: 1 << 20,
  maxBackpressure: 64 << 20,
  upgrade(res, req, context) {
    res.upgrade(
      { path: req.getUrl(), connection: undefined },
      req.getHeader('sec-websocket-key'),
      muxSubprotocol,
      req.getHeader('sec-websocket-extensions'),
      context,
    );
  },
  open: (ws) => {
    ws.getUserData().connection = new Connection(ws);
    count(ws.getUserData().path, 1);
  },
  close: (ws) => count(ws.getUserData().path, -1),
  message: (ws, message, isBinary) => ws.getUserData().connection!.receive(message, isBinary),
});
app.listen('127.0.0.1', port, (socket) => {
  if (!socket) throw new Error(`port ${port} is taken`);
});

process.on('disconnect', () => process.exit(0));
process.on('message', () => process.send!(Object.fromEntries(openByPath)));

function count(path: string, change: number): void {
  openByPath.set(path, (openByPath.get(path) ?? 0) + change);
}
