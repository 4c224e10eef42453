import { deferred } from './deferred.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.ts';
import type { ChildOptions } from './child.ts';

/** The processes of one bench: the unasked end of any of them fails what is being watched; none outlives `stopAll`. */
export class Children {
  readonly #running = new Set<Child>();
  readonly #fault = deferred<never>();
  readonly #apart: boolean;

  /** `apart`: what is typed at the terminal, Ctrl-C, reaches this process alone, which then decides what becomes of them. */
  constructor({ apart = false }: { readonly apart?: boolean } = {}) {
    this.#apart = apart;
    this.#fault.promise.catch(() => undefined);
    process.on('exit', () => {
      for (const child of this.#running) child.abandon();
    });
  }

  start(options: ChildOptions): Child {
    const child = new Child({ apart: this.#apart, ...options });
    this.#running.add(child);
    void child.exited.then((code) => {
      this.#running.delete(child);
      if (child.stopping || options.ends) return;
      this.fail(
        new Error(
          `${child.name} ended early ${code === null ? 'by a signal' : `with code ${code}`}\n${child.output}`.trim(),
        ),
      );
    });
    return child;
  }

  /** A Node process with the flags and the Node of this one, and an IPC channel. */
  startNode(name: string, args: readonly string[], onMessage?: (message: unknown) => void): Child {
    const listener = onMessage ? { onMessage } : {};
    return this.start({ ...nodeCommand(name, args), talks: true, ...listener });
  }

  /** Runs a Node process to its end and returns the last message it sent; throws when it fails or takes over `timeoutMs`. */
  async messageOf(name: string, args: readonly string[], timeoutMs: number): Promise<unknown> {
    let last: unknown;
    const onMessage = (message: unknown): void => void (last = message);
    const child = this.start({ ...nodeCommand(name, args), talks: true, ends: true, onMessage });
    const code = await this.watch(name, timeoutMs, child.exited);
    if (code !== 0) throw new Error(`${name} failed with code ${code}\n${child.output}`);
    return last;
  }

  /** Makes whatever is being watched throw `reason`. */
  fail(reason: Error): void {
    this.#fault.reject(reason);
  }

  /** Returns what `work` returns; throws on a fault of any child and after `timeoutMs`. Work that polls is told when that is over. */
  async watch<T>(
    what: string | (() => string),
    timeoutMs: number,
    work: Promise<T> | ((over: AbortSignal) => Promise<T>),
  ): Promise<T> {
    const finished = new AbortController();
    const late = sleep(timeoutMs, undefined, { signal: finished.signal }).then(
      () =>
        this.fail(new Error(`${typeof what === 'string' ? what : what()} took over ${timeoutMs / 1000} s`)),
      () => undefined,
    );
    try {
      const result = typeof work === 'function' ? work(finished.signal) : work;
      return await Promise.race([result, this.#fault.promise]);
    } finally {
      finished.abort();
      await late;
    }
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => child.stop()));
  }
}

function nodeCommand(name: string, args: readonly string[]): ChildOptions {
  return { name, command: process.execPath, args: [...process.execArgv, ...args] };
}
