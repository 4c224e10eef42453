import { spawn } from 'node:child_process';
import type { ChildProcess, Serializable } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const stopTimeoutMs = 10_000;
const tailChars = 20_000;

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Opens an IPC channel; for Node children. */
  readonly talks?: boolean;
  readonly onMessage?: (message: unknown) => void;
  /** In a process group of its own: what is typed at the terminal does not reach it. */
  readonly apart?: boolean;
  /** Its end, asked for or not, is no fault when it exits with 0. */
  readonly ends?: boolean;
}

/** One process of the bench. */
export class Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process is gone and its output is read; with its exit code, null when a signal ended it. */
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;
  #output = '';
  #stopping = false;

  /** Throws when the command cannot be run. */
  constructor(options: ChildOptions) {
    const channel = options.talks ? ['ipc' as const] : [];
    this.#process = spawn(options.command, options.args, {
      stdio: ['ignore', 'pipe', 'pipe', ...channel],
      detached: options.apart === true,
    });
    this.#process.on('error', (error) => (this.#output += error.message));
    if (this.#process.pid === undefined) throw new Error(`${options.name}: cannot run ${options.command}`);
    this.name = options.name;
    this.pid = this.#process.pid;
    this.exited = once(this.#process, 'close').then(([code]) => code as number | null);
    for (const stream of [this.#process.stdout, this.#process.stderr]) stream!.on('data', this.#keepTail);
    if (options.onMessage) this.#process.on('message', options.onMessage);
  }

  /** What it printed last. */
  get output(): string {
    return this.#output;
  }

  /** True once the bench has asked it to end. */
  get stopping(): boolean {
    return this.#stopping;
  }

  send(message: Serializable): void {
    this.#process.send(message);
  }

  /** Asks it to end, and makes it after 10 s; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#process.kill('SIGTERM');
    const asked = new AbortController();
    const late = sleep(stopTimeoutMs, 'late', { signal: asked.signal }).catch(() => undefined);
    if ((await Promise.race([this.exited, late])) === 'late') this.#process.kill('SIGKILL');
    asked.abort();
    await this.exited;
  }

  /** For the last moment of this process, when nothing can be waited for. */
  abandon(): void {
    this.#process.kill('SIGTERM');
  }

  readonly #keepTail = (chunk: Buffer): void => {
    this.#output = (this.#output + chunk.toString()).slice(-tailChars);
  };
}
