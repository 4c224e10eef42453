import type { RawData, WebSocket } from 'ws';
import { startBackend, type Backend } from './backend.ts';
import { rawText, type RpcRequest } from './json-rpc-backend.ts';

/** A backend with subscriptions, as an Ethereum node has them; each connection numbers its own from 0x1. */
export interface SubscriptionBackend extends Backend {
  /** The topic of each live subscription. */
  topics(): string[];
  /** Sends a payload to all who subscribed to the topic. */
  publish(topic: string, payload: unknown): void;
  /** Calls of each method so far. */
  calls(method: string): number;
}

/** Starts one; `eth_call` answers with its params, and the first notification of a subscription leaves before the reply. */
export async function startSubscriptionBackend(): Promise<SubscriptionBackend> {
  const live = new Map<WebSocket, Map<string, string>>();
  const calls = new Map<string, number>();
  const backend = await startBackend({
    onConnection: (socket) => {
      const topics = new Map<string, string>();
      live.set(socket, topics);
      socket.on('close', () => live.delete(socket));
      let next = 1;
      socket.on('message', (data: RawData) => {
        const { id, method, params } = JSON.parse(rawText(data)) as RpcRequest & { params: string[] };
        calls.set(method, (calls.get(method) ?? 0) + 1);
        const reply = (result: unknown): void => socket.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
        const [first = ''] = params;
        if (method === 'eth_subscribe') {
          const subscription = `0x${(next++).toString(16)}`;
          topics.set(subscription, first);
          notify(socket, subscription, `welcome to ${first}`);
          reply(subscription);
        } else if (method === 'eth_unsubscribe') {
          reply(topics.delete(first));
        } else {
          reply(params);
        }
      });
    },
  });
  return {
    ...backend,
    topics: () => [...live.values()].flatMap((topics) => [...topics.values()]),
    publish: (topic, payload) => {
      for (const [socket, topics] of live) {
        for (const [subscription, other] of topics)
          if (other === topic) notify(socket, subscription, payload);
      }
    },
    calls: (method) => calls.get(method) ?? 0,
  };
}

function notify(socket: WebSocket, subscription: string, result: unknown): void {
  const message = { jsonrpc: '2.0', method: 'eth_subscription', params: { subscription, result } };
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
}
