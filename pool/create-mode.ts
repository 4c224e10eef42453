import { createBalancer } from './balancers/create-balancer.ts';
import type { Connector } from './connector.ts';
import { methodTable } from './jsonrpc/method-table.ts';
import type { Mode } from './mode.ts';
import { checkCall } from './modes/check-call.ts';
import { dialogueRoles, type DialogueSettings } from './modes/dialogue.ts';
import { MuxMode } from './modes/mux.ts';
import { RequestMode } from './modes/request.ts';
import { SessionMode } from './modes/session.ts';
import type { PoolConfig, PoolOptions } from './pool-config.ts';
import type { OperableMode } from './pool-operations.ts';
import { Priority } from './waiting/priority.ts';

/** The mode of a pool that has upstreams. */
export function createMode(
  options: PoolOptions,
  connector: Connector,
  idCeiling: number,
): Mode & OperableMode {
  switch (options.config.mode) {
    case 'session':
      return createSessionMode(options, connector);
    case 'request':
      return createRequestMode(options, connector, idCeiling);
    case 'mux':
      return createMuxMode(options, connector, idCeiling);
  }
}

function createSessionMode({ config, ...options }: PoolOptions, connector: Connector): SessionMode {
  return new SessionMode({
    connector,
    warmConnections: config.minConnections,
    maxGreetingBytes: options.maxBackpressureBytes,
    acquireTimeoutMs: options.acquireTimeoutMs,
    now: options.now,
    observer: options.observer,
  });
}

function createRequestMode(options: PoolOptions, connector: Connector, idCeiling: number): RequestMode {
  const { config, observer, now } = options;
  const dialogue = dialogueSettings(config);
  return new RequestMode({
    connector,
    balancer: createBalancer(config.balance, options),
    scaling: config,
    limits: {
      minConnections: config.minConnections,
      maxInFlightPerConnection: config.maxInFlightPerConnection,
      maxInFlightPerClient: config.maxInFlightPerClient,
      maxBatchSize: config.maxBatchSize,
      maxBatchReplyBytes: config.maxMessageBytes,
      requestTimeoutMs: config.requestTimeoutMs,
      queue: config.queue,
      maxRetries: config.retry.maxRetries,
      retryBudgetRatio: config.retry.budgetRatio,
      retryBackoffMs: config.retry.backoffMs,
      healthCall:
        config.healthCheck.method === null
          ? undefined
          : checkCall(config.healthCheck.method, config.healthCheck.params),
      faultCodes: new Set(config.outlier.errorCodes),
      methods: methodTable({
        stateful: config.statefulMethods,
        idempotent: config.retry.idempotentMethods,
        priorities: Object.entries(config.methodPriority).map(
          ([method, name]) => [method, Priority[name]] as const,
        ),
        roles: dialogue && dialogueRoles(dialogue),
      }),
      idCeiling,
    },
    now,
    random: options.random,
    observer,
    log: options.log,
    name: options.name,
    dialogue,
  });
}

function dialogueSettings(config: PoolConfig): DialogueSettings | undefined {
  const { subscriptions, coalesceMethods, maxCoalesced } = config;
  if (subscriptions === null && coalesceMethods.length === 0) return undefined;
  return { subscriptions: subscriptions ?? undefined, coalesceMethods, maxCoalesced };
}

function createMuxMode(options: PoolOptions, connector: Connector, idCeiling: number): MuxMode {
  const { config, maxBackpressureBytes } = options;
  const { minConnections, maxStreamsPerConnection, maxMessageBytes, queue } = config;
  return new MuxMode({
    ...options,
    connector,
    scaling: config,
    balancer: createBalancer(config.balance, options),
    limits: {
      ...{ minConnections, maxStreamsPerConnection, maxMessageBytes },
      ...{ queue, maxBackpressureBytes, idCeiling },
    },
  });
}
