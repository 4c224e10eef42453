import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { StageMessage } from '../engine/stage-messages.ts';
import { telemetryFdVariable, type FaultLine, type TelemetryLine } from '../engine/telemetry-line.ts';

const telemetryFd = 3;
const tailChars = 20_000;
const killAfterMs = 8_000;

export interface ArtilleryOptions {
  /** artillery's program, from `installedArtillery`. */
  readonly program: string;
  /** The scenario. */
  readonly file: string;
  /** More arguments of `artillery run`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly onTelemetry: (line: TelemetryLine) => void;
  /** For scenarios with stages. */
  readonly onStage?: (message: StageMessage) => void;
}

/** How an artillery process ended. */
export interface ArtilleryEnd {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string;
  /** The last of what it printed. */
  readonly output: string;
  /** Why the scenario makes no sense to our engine, or can go on no more. */
  readonly fault: string | undefined;
  /** True when it was told to end. */
  readonly stopped: boolean;
}

/** One artillery process that runs one scenario. */
export class ArtilleryRun {
  readonly pid: number;
  /** Resolves when it is gone and all it has said is read. */
  readonly ended: Promise<ArtilleryEnd>;
  readonly #child: ChildProcess;
  #output = '';
  #fault: string | undefined;
  #stopped = false;
  #gone = false;

  constructor({ program, file, args = [], env = {}, onTelemetry, onStage }: ArtilleryOptions) {
    const node = ['--disable-warning=ExperimentalWarning', program, 'run', file, ...args];
    this.#child = spawn(process.execPath, node, {
      env: {
        ...process.env,
        ARTILLERY_DISABLE_TELEMETRY: 'true',
        [telemetryFdVariable]: String(telemetryFd),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // Ctrl-C is ours to pass on, when the figures are in.
      detached: true,
    });
    this.pid = this.#child.pid ?? 0;
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream!.on('data', this.#keepTail);
    const lines = createInterface({ input: this.#child.stdio[telemetryFd] as Readable });
    lines.on('line', (line) => this.#take(line, onTelemetry, onStage));
    const abandon = (): void => this.#kill('SIGKILL');
    process.once('exit', abandon);
    this.ended = new Promise<ArtilleryEnd>((resolve) => {
      const end = (code: number | string): void => {
        this.#gone = true;
        process.off('exit', abandon);
        resolve({ code, output: this.#output, fault: this.#fault, stopped: this.#stopped });
      };
      this.#child.on('error', (error) => {
        this.#output += error.message;
        end('not started');
      });
      this.#child.on('close', (code, signal) => end(code ?? signal ?? 'unknown'));
    });
  }

  /** Asks it to end, and makes it after 8 s. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#kill('SIGKILL'), killAfterMs);
    void this.ended.then(() => clearTimeout(timer));
  }

  /** A worker that ends is one that artillery would wait for. */
  #fail(fault: string): void {
    this.#fault ??= fault;
    this.stop();
  }

  #kill(signal: NodeJS.Signals): void {
    if (this.#gone || this.pid === 0) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // It went by itself.
    }
  }

  #take(
    line: string,
    onTelemetry: ArtilleryOptions['onTelemetry'],
    onStage: ArtilleryOptions['onStage'],
  ): void {
    const said = JSON.parse(line) as TelemetryLine | FaultLine | StageMessage;
    if (said.type === 'second') onTelemetry(said);
    else if (said.type === 'fault') this.#fail(said.message);
    else onStage?.(said);
  }

  readonly #keepTail = (chunk: Buffer): void => {
    this.#output = (this.#output + chunk.toString()).slice(-tailChars);
  };
}

/** Returns why a process did not do what it was to do, in its own words; undefined when it did. */
export function whyFailed({ code, output, fault, stopped }: ArtilleryEnd): string | undefined {
  if (fault !== undefined) return fault;
  if (code === 0 || stopped) return undefined;
  const said = output
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('Test run id'))
    .slice(-15)
    .join('\n');
  return `artillery ended with ${code}\n${said}`.trim();
}
