import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { kinds } from '../result/failure-kinds.ts';
import { Failure, failureOf } from './failure.ts';
import type { WireCounter } from './telemetry.ts';

/** What a client asks a server for. */
export interface HandshakeOptions {
  readonly url: string;
  readonly subprotocols: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  /** Asked for by the URL; the server must agree. */
  readonly codec: string | undefined;
  /** 13, or 8 for the drafts before it. */
  readonly protocolVersion: number;
  readonly timeoutMs: number;
  /** Takes any certificate. */
  readonly insecure: boolean;
}

/** A handshake that came to its end, good or bad. */
export type Handshake = Opened | Refused;

export interface Opened {
  readonly failure?: undefined;
  /** Reads nothing yet: what comes with the handshake waits for who is to take it. */
  readonly socket: WebSocket;
  readonly wire: WireCounter;
  /** The codec that the server said it speaks. */
  readonly codec: string | undefined;
}

export interface Refused {
  readonly failure: Failure;
  /** Undefined where the server said nothing. */
  readonly wire: WireCounter | undefined;
}

const maxPayload = 256 << 20;

/** Opens a connection; resolves at the end of the handshake. One that failed leaves no connection behind. */
export async function shakeHands(options: HandshakeOptions): Promise<Handshake> {
  let socket: WebSocket;
  try {
    socket = webSocket(options);
  } catch (error) {
    return { failure: failureOf(error), wire: undefined };
  }
  const { failure, response } = await answerTo(socket);
  const wire = response?.socket;
  const codec = response?.headers['wsluice-codec']?.toString();
  const wrong =
    failure ?? (wire === undefined ? new Failure(kinds.handshakeGarbage) : notAgreed(options, codec));
  if (wrong === undefined) return { socket, wire: wire!, codec };
  socket.terminate();
  return { failure: wrong, wire };
}

function webSocket(options: HandshakeOptions): WebSocket {
  const url = new URL(options.url);
  if (options.codec !== undefined) url.searchParams.set('codec', options.codec);
  // No dictionary is loaded here, and the server is to know.
  const ids = options.codec === 'zstd' ? { 'Wsluice-Dictionaries': '0' } : {};
  if (options.codec === 'zstd') url.searchParams.set('dictionary', '0');
  return new WebSocket(url, [...options.subprotocols], {
    protocolVersion: options.protocolVersion,
    handshakeTimeout: options.timeoutMs,
    headers: { ...ids, ...options.headers },
    perMessageDeflate: false,
    rejectUnauthorized: !options.insecure,
    maxPayload,
  });
}

interface Answer {
  readonly failure: Failure | undefined;
  readonly response: IncomingMessage | undefined;
}

/** Resolves when the socket is open, or will never be. */
function answerTo(socket: WebSocket): Promise<Answer> {
  return new Promise((resolve) => {
    let response: IncomingMessage | undefined;
    socket.once('upgrade', (answer) => (response = answer));
    socket.once('unexpected-response', (_request, answer) => {
      const status = answer.statusCode ?? 0;
      answer.on('error', () => undefined).resume();
      resolve({
        failure: new Failure(kinds.status(status), answer.statusMessage, status),
        response: answer,
      });
    });
    socket.once('open', () => {
      socket.pause();
      resolve({ failure: undefined, response });
    });
    // It stays: a socket that is given up reports that as an error as well.
    socket.on('error', (error) => resolve({ failure: failureOf(error), response }));
  });
}

function notAgreed({ codec }: HandshakeOptions, spoken: string | undefined): Failure | undefined {
  if (codec === undefined || codec === spoken) return undefined;
  return new Failure(kinds.noCodec, `asked for ${codec}, and the server said nothing of it`);
}
