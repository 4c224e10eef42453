import { WebSocket as WsSocket } from 'ws';
import { CodecWebSocket, type CodecWebSocketOptions } from '../../codec/client/codec-web-socket.ts';

/** Who sends what, how often. */
export interface CrowdOptions {
  readonly url: string;
  readonly count: number;
  readonly codec?: 'zstd' | 'brotli' | 'gzip';
  /** Messages per second of each client, on average over the waves that all of them go through. */
  readonly perSecond: number;
  readonly message: (serial: number) => string;
  /** Which client's address the gateway is told, as by a proxy. */
  readonly address: (index: number) => string;
}

const stepMs = 100;

/** Clients whose traffic comes in waves; the first of them are the busiest. Returns how to send them away. */
export async function startCrowd(options: CrowdOptions): Promise<() => void> {
  const sockets: CodecWebSocket[] = [];
  for (let index = 0; index < options.count; index++) sockets.push(await connect(options, index));
  let serial = 0;
  const owed = sockets.map(() => Math.random());
  const timer = setInterval(() => {
    const seconds = performance.now() / 1_000;
    const wave = 1 + 0.35 * Math.sin(seconds / 19) + 0.2 * Math.sin(seconds / 5.3) + 0.25 * Math.random();
    for (const [index, socket] of sockets.entries()) {
      const share = 0.4 + 1.2 / (1 + index / 6);
      owed[index]! += (options.perSecond * share * wave * stepMs) / 1_000;
      for (; owed[index]! >= 1; owed[index]!--) {
        if (socket.readyState === CodecWebSocket.OPEN) socket.send(options.message(++serial));
      }
    }
  }, stepMs);
  return () => {
    clearInterval(timer);
    for (const socket of sockets) socket.close();
  };
}

async function connect({ url, codec, address }: CrowdOptions, index: number): Promise<CodecWebSocket> {
  const headers = { 'x-forwarded-for': address(index) };
  class Behind extends WsSocket {
    constructor(to: string, protocols?: string | string[]) {
      super(to, protocols, { headers, perMessageDeflate: false });
    }
  }
  const socket = new CodecWebSocket(url, [], {
    codec,
    minBytes: 64,
    WebSocket: Behind as unknown as NonNullable<CodecWebSocketOptions['WebSocket']>,
  });
  await new Promise((resolve) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('close', resolve);
  });
  return socket;
}
