import type { Gateway } from '../gateway.ts';
import type { Log } from '../log.ts';
import { terminalWatch } from './terminal.ts';

/** Signals closer together than this are one: npm passes on what the terminal has sent to the whole process group. */
const sameSignalMs = 50;

const lingerMs = 500;

/**
 * The first SIGTERM or SIGINT drains, a second one stops at once; before there is anything to drain the first one does.
 * SIGHUP reloads, as soon as there is something to reload; when it says that the terminal is gone, it is as good as SIGTERM.
 */
export class Signals {
  readonly #log: Log;
  readonly #terminalIsGone = terminalWatch();
  #gateway: Gateway | undefined;
  #reload: (() => void) | undefined;
  #reloadIsDue = false;
  #firstAtMs: number | undefined;
  #onDrained: (exitCode: number) => void = () => undefined;

  constructor(log: Log) {
    this.#log = log;
    process.on('SIGTERM', this.#onSignal);
    process.on('SIGINT', this.#onSignal);
    process.on('SIGHUP', this.#onHangUp);
  }

  /** Lets signals drain and reload this gateway. Resolves to the exit code when it has drained. */
  serve(gateway: Gateway, onReload: () => void): Promise<number> {
    this.#gateway = gateway;
    this.#reload = onReload;
    if (this.#reloadIsDue) onReload();
    return new Promise((resolve) => (this.#onDrained = resolve));
  }

  /** An operator asks for what the first SIGTERM does; nothing happens when that is under way. */
  drain(): void {
    if (this.#gateway === undefined) process.exit(0);
    if (this.#firstAtMs !== undefined) return;
    this.#firstAtMs = performance.now();
    void this.#drain(this.#gateway, {});
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    if (this.#gateway === undefined) process.exit(0);
    if (this.#firstAtMs === undefined) {
      this.#firstAtMs = nowMs;
      void this.#drain(this.#gateway, { signal });
    } else if (nowMs - this.#firstAtMs > sameSignalMs) {
      this.#log.warn({ signal }, 'stopped at once');
      process.exit(1);
    }
  };

  readonly #onHangUp = (): void => {
    if (this.#terminalIsGone()) this.#onSignal('SIGHUP');
    else if (this.#firstAtMs !== undefined) this.#log.info('nothing is reloaded during a drain');
    else if (this.#reload === undefined) this.#reloadIsDue = true;
    else this.#reload();
  };

  async #drain(gateway: Gateway, cause: object): Promise<void> {
    this.#log.info(
      cause,
      'draining: no new clients, replies in flight are delivered; a second signal stops at once',
    );
    await gateway.drain();
    this.#log.info('drained');
    // Goodbyes to upstreams are on their way; nobody waits for an upstream that does not answer them.
    setTimeout(() => process.exit(0), lingerMs).unref();
    this.#onDrained(0);
  }
}
