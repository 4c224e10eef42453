import { createBalancer } from './balancers/create-balancer.ts';
import type { Connector } from './connector.ts';
import { methodTable } from './jsonrpc/method-table.ts';
import { checkCall } from './modes/check-call.ts';
import { dialogueRoles, type DialogueSettings } from './modes/dialogue.ts';
import { RequestMode } from './modes/request.ts';
import type { PoolConfig, PoolOptions } from './pool-config.ts';
import { Priority } from './waiting/priority.ts';

/** A pool whose clients share upstream connections request by request. */
export function createRequestMode(
  options: PoolOptions,
  connector: Connector,
  idCeiling: number,
): RequestMode {
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
