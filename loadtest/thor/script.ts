import type { ThorOptions } from './options.ts';

/** What one artillery process does. */
export interface WorkerScript {
  /** Connections to all addresses together. */
  readonly clients: number;
  /** The scenario, as artillery reads it. */
  readonly script: unknown;
}

/** More arrivals are not made in a millisecond; the engine has them wait for their turn. */
const arrivalsPerMs = 5;
const leastArrivalMs = 10;

/** Returns the scenario of each process: together they make all connections, and open no more at once than they may. */
export function workerScripts(options: ThorOptions): WorkerScript[] {
  const amounts = shares(options.amount, options.workers);
  const atOnce = shares(options.concurrent, options.workers);
  return amounts.map((amount, i) => {
    const clients = amount * options.urls.length;
    return { clients, script: script(options, clients, atOnce[i]!) };
  });
}

function script(options: ThorOptions, clients: number, connectsAtOnce: number): unknown {
  const { urls, codec, protocol, insecure, messages, bufferBytes, binary, method, reply } = options;
  const duration = `${Math.max(leastArrivalMs, Math.ceil(clients / arrivalsPerMs))}ms`;
  const generator = options.generator === undefined ? {} : { generator: options.generator };
  return {
    config: {
      target: urls[0],
      engines: { wsluice: { connectsAtOnce, clients, timeout: options.timeoutS, ...generator } },
      phases: [{ name: 'all connections', arrivalCount: clients, duration }],
    },
    scenarios: [
      {
        name: 'thor',
        engine: 'wsluice',
        flow: [
          {
            connect: {
              url: urls,
              protocolVersion: protocol,
              insecure,
              ...(codec === undefined ? {} : { codec }),
            },
          },
          { send: { count: messages, bytes: bufferBytes, binary, jsonRpc: method ?? false, reply } },
          { close: true },
        ],
      },
    ],
  };
}

/** Returns `total` in `parts` that differ by at most one. */
function shares(total: number, parts: number): number[] {
  return Array.from({ length: parts }, (_, i) => Math.floor(total / parts) + (i < total % parts ? 1 : 0));
}
