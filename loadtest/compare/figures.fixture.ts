import type { Figures } from './figures.ts';

/** Figures of a server with so many messages a second, on a machine where nothing was full. */
export function figuresOf(
  server: string,
  messagesPerSecond: number,
  cores: Partial<Figures['cores']> = {},
): Figures {
  return {
    ...{ server, protocol: 'jsonrpc', depth: 1, messagesPerSecond, p50Us: 1000, p99Us: 2000, maxUs: 3000 },
    cores: { loader: 0.5, server: 0.5, backend: 0.1, others: 0, ...cores },
    serverCpuUsPerMessage: ((cores.server ?? 0.5) / messagesPerSecond) * 1e6,
    upstreamConnections: 8,
  };
}
