/** A subscription protocol: one method begins it, another ends it, and a notification carries what it brings. Paths are inside params. */
export interface SubscriptionMethods {
  /** Its result is the subscription's id. */
  readonly subscribe: string;
  readonly unsubscribe: string;
  readonly notification: string;
  /** Where a notification has the id. */
  readonly idAt: string;
  /** Where an unsubscribe has it. */
  readonly unsubscribeIdAt: string;
}

/** Reports on a request under way: the client names a token in it, the upstream's notifications carry that token. */
export interface ProgressMethods {
  readonly notification: string;
  /** Where the notification has the token. */
  readonly tokenAt: string;
  /** Where a request may have one. */
  readonly requestTokensAt: readonly string[];
}

/** A notification that asks for a request to be given up, and where it has that request's id. */
export interface CancelMethod {
  readonly method: string;
  readonly idAt: string;
}

/** A request of an upstream, and where it has a subscription id or progress token that tells whom it is for; null when nothing does. */
export interface AskMethod {
  readonly method: string;
  readonly tokenAt: string | null;
}

/** The subscriptions of one pool; docs/configuration.md says what each setting means. */
export interface SubscriptionSettings {
  readonly presets: readonly PresetName[];
  readonly custom: readonly SubscriptionMethods[];
  readonly progress: readonly ProgressMethods[];
  readonly cancel: readonly CancelMethod[];
  readonly asks: readonly AskMethod[];
  readonly coalesce: boolean;
  readonly whenLost: 'restore' | 'close';
  readonly restoreTimeoutMs: number;
  readonly maxPerClient: number;
  readonly maxPerPool: number;
  readonly maxEarlyBytes: number;
}

/** All that a pool knows of what its upstreams send unasked. */
export interface Protocol {
  readonly subscriptions: readonly SubscriptionMethods[];
  readonly progress: readonly ProgressMethods[];
  readonly cancel: readonly CancelMethod[];
  readonly asks: readonly AskMethod[];
  /** Requests of an upstream that concern the connection itself, with the JSON to answer them with. */
  readonly answers: ReadonlyMap<string, string>;
  /** Notifications of clients that would name what is not theirs; they end here. */
  readonly ignored: readonly string[];
}

const nothing: Protocol = {
  subscriptions: [],
  progress: [],
  cancel: [],
  asks: [],
  answers: new Map(),
  ignored: [],
};

/** The protocols known by name. */
export const presets = {
  /** https://geth.ethereum.org/docs/interacting-with-geth/rpc/pubsub */
  ethereum: {
    ...nothing,
    subscriptions: [
      {
        subscribe: 'eth_subscribe',
        unsubscribe: 'eth_unsubscribe',
        notification: 'eth_subscription',
        idAt: 'subscription',
        unsubscribeIdAt: '0',
      },
    ],
  },
  /** Model Context Protocol 2025-06-18, basic/utilities. */
  mcp: {
    ...nothing,
    progress: [
      {
        notification: 'notifications/progress',
        tokenAt: 'progressToken',
        requestTokensAt: ['_meta.progressToken'],
      },
    ],
    cancel: [{ method: 'notifications/cancelled', idAt: 'requestId' }],
    asks: ['sampling/createMessage', 'elicitation/create', 'roots/list'].map((method) => ({
      method,
      tokenAt: null,
    })),
    answers: new Map([['ping', '{}']]),
    ignored: ['notifications/progress'],
  },
  /** Language Server Protocol 3.17, base protocol. */
  lsp: {
    ...nothing,
    progress: [
      {
        notification: '$/progress',
        tokenAt: 'token',
        requestTokensAt: ['workDoneToken', 'partialResultToken'],
      },
    ],
    cancel: [{ method: '$/cancelRequest', idAt: 'id' }],
    ignored: ['$/progress', 'window/workDoneProgress/cancel'],
  },
} as const satisfies Readonly<Record<string, Protocol>>;

export type PresetName = keyof typeof presets;

/** The presets and what is defined beside them, in one. */
export function protocolOf(settings: SubscriptionSettings): Protocol {
  const own: Protocol = {
    ...nothing,
    subscriptions: settings.custom,
    progress: settings.progress,
    cancel: settings.cancel,
    asks: settings.asks,
  };
  const all: readonly Protocol[] = [...settings.presets.map((name): Protocol => presets[name]), own];
  return {
    subscriptions: all.flatMap(({ subscriptions }) => subscriptions),
    progress: all.flatMap(({ progress }) => progress),
    cancel: all.flatMap(({ cancel }) => cancel),
    asks: all.flatMap(({ asks }) => asks),
    answers: new Map(all.flatMap(({ answers }) => [...answers])),
    ignored: all.flatMap(({ ignored }) => ignored),
  };
}
