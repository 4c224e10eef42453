import { describe, expect, it } from 'vitest';
import { GatewayMetrics, indexByName } from './gateway-metrics.ts';

const errorTypes = ['protocol', 'too-big'] as const;
const rejectReasons = ['origin', 'capacity', 'rate-limit'] as const;
const ErrorType = indexByName(errorTypes);
const RejectReason = indexByName(rejectReasons);

describe('GatewayMetrics', () => {
  it('counts connections, messages and bytes apart', () => {
    const metrics = new GatewayMetrics({ errorTypes, rejectReasons });
    metrics.connectionOpened();
    metrics.connectionOpened();
    metrics.connectionClosed();
    metrics.received(100);
    metrics.sent(30);
    metrics.sent(12);
    const { connectionsOpen, messagesReceived, bytesReceived, messagesSent, bytesSent } = metrics;
    expect([connectionsOpen, messagesReceived, bytesReceived, messagesSent, bytesSent]).toEqual([
      1, 1, 100, 2, 42,
    ]);
  });

  it('counts errors and refusals by name, those at 0 too', () => {
    const metrics = new GatewayMetrics({ errorTypes, rejectReasons });
    metrics.error(ErrorType['too-big']);
    metrics.rejected(RejectReason.origin);
    metrics.rejected(RejectReason['rate-limit']);
    metrics.rejected(RejectReason['rate-limit']);
    expect(metrics.errorCounts()).toEqual([
      { label: 'protocol', count: 0 },
      { label: 'too-big', count: 1 },
    ]);
    expect(metrics.rejectCounts()).toEqual([
      { label: 'origin', count: 1 },
      { label: 'capacity', count: 0 },
      { label: 'rate-limit', count: 2 },
    ]);
  });
});

describe('indexByName', () => {
  it('gives each name its index', () => {
    expect(RejectReason).toEqual({ origin: 0, capacity: 1, 'rate-limit': 2 });
  });

  it('throws when a name comes twice', () => {
    expect(() => indexByName(['a', 'b', 'a'])).toThrow('bug:');
  });
});
