/** What a `close` event tells, like the platform's `CloseEvent`, which not every Node has. */
export interface CloseDetail {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

export interface SocketEventMap {
  readonly open: Event;
  readonly message: MessageEvent;
  readonly error: Event;
  readonly close: Event & CloseDetail;
}

type EventName = keyof SocketEventMap;
type Listener<T extends string> = (event: T extends EventName ? SocketEventMap[T] : Event) => unknown;
type Handler<T extends EventName> = Listener<T> | null;
type PlainListener = Parameters<EventTarget['addEventListener']>[1];
type AddOptions = Parameters<EventTarget['addEventListener']>[2];
type RemoveOptions = Parameters<EventTarget['removeEventListener']>[2];

class DetailedCloseEvent extends Event implements CloseDetail {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;

  constructor(type: string, { code, reason, wasClean }: CloseDetail) {
    super(type);
    this.code = code;
    this.reason = reason;
    this.wasClean = wasClean;
  }
}

/** A `close` event, of the platform's class where it has one. */
export function closeEvent(detail: CloseDetail): SocketEventMap['close'] {
  const { CloseEvent = DetailedCloseEvent } = globalThis as { CloseEvent?: typeof DetailedCloseEvent };
  return new CloseEvent('close', detail);
}

/** The part of a WebSocket that tells its listeners and its `on…` handlers. */
export class SocketEvents extends EventTarget {
  readonly #handlers = new Map<string, PlainListener>();

  override addEventListener<T extends string>(
    type: T,
    listener: Listener<T> | { handleEvent(event: Event): void } | null,
    options?: AddOptions,
  ): void {
    super.addEventListener(type, listener as PlainListener, options);
  }

  override removeEventListener<T extends string>(
    type: T,
    listener: Listener<T> | { handleEvent(event: Event): void } | null,
    options?: RemoveOptions,
  ): void {
    super.removeEventListener(type, listener as PlainListener, options);
  }

  get onopen(): Handler<'open'> {
    return this.#handler('open');
  }
  set onopen(handler: Handler<'open'>) {
    this.#setHandler('open', handler);
  }

  get onmessage(): Handler<'message'> {
    return this.#handler('message');
  }
  set onmessage(handler: Handler<'message'>) {
    this.#setHandler('message', handler);
  }

  get onerror(): Handler<'error'> {
    return this.#handler('error');
  }
  set onerror(handler: Handler<'error'>) {
    this.#setHandler('error', handler);
  }

  get onclose(): Handler<'close'> {
    return this.#handler('close');
  }
  set onclose(handler: Handler<'close'>) {
    this.#setHandler('close', handler);
  }

  #handler<T extends EventName>(type: T): Handler<T> {
    return (this.#handlers.get(type) ?? null) as Handler<T>;
  }

  #setHandler<T extends EventName>(type: T, handler: Handler<T>): void {
    const former = this.#handlers.get(type);
    if (former !== undefined) super.removeEventListener(type, former);
    this.#handlers.delete(type);
    if (typeof handler !== 'function') return;
    this.#handlers.set(type, handler as PlainListener);
    super.addEventListener(type, handler as PlainListener);
  }
}
