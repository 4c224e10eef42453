import type { Registry } from 'prom-client';
import { registerCounter, registerGauge, registerHistogram } from './families.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';

/** Publishes what the gateway counts about its clients. */
export function registerClientFamilies(registry: Registry, metrics: GatewayMetrics): void {
  registerGauge(registry, {
    name: 'websocket_connections_total',
    help: 'Client connections open now',
    read: () => [[{}, metrics.connectionsOpen]],
  });
  registerCounter(registry, {
    name: 'websocket_messages_sent_total',
    help: 'Messages sent to clients',
    read: () => [[{}, metrics.messagesSent]],
  });
  registerCounter(registry, {
    name: 'websocket_messages_received_total',
    help: 'Messages received from clients',
    read: () => [[{}, metrics.messagesReceived]],
  });
  registerCounter(registry, {
    name: 'websocket_bytes_sent_total',
    help: 'Bytes of the messages sent to clients',
    read: () => [[{}, metrics.bytesSent]],
  });
  registerCounter(registry, {
    name: 'websocket_bytes_received_total',
    help: 'Bytes of the messages received from clients',
    read: () => [[{}, metrics.bytesReceived]],
  });
  registerCounter(registry, {
    name: 'websocket_errors_total',
    help: 'Errors on client connections, by type',
    labels: ['type'],
    read: () => metrics.errorCounts().map(({ label, count }) => [{ type: label }, count]),
  });
  registerCounter(registry, {
    name: 'websocket_rejected_total',
    help: 'Clients and messages refused, by reason',
    labels: ['reason'],
    read: () => metrics.rejectCounts().map(({ label, count }) => [{ reason: label }, count]),
  });
  registerHistogram(registry, {
    name: 'websocket_latency_seconds',
    help: "Time from a client's frame to the reply being sent",
    read: () => [[{}, metrics.latency]],
  });
  registerHistogram(registry, {
    name: 'wsluice_heartbeat_rtt_seconds',
    help: "Time from a ping to the client's pong",
    read: () => [[{}, metrics.heartbeatRtt]],
  });
  registerHistogram(registry, {
    name: 'wsluice_event_loop_lag_seconds',
    help: 'How late the event loop was',
    read: () => [[{}, metrics.eventLoopLag]],
  });
}
