import { writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { stringify } from 'yaml';
import { startChild, waitForPort, type Child } from '../child.ts';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { runWsluice } from '../gateway.ts';
import { startJsonRpcBackend, type JsonRpcBackend } from '../json-rpc-backend.ts';
import { stepsOf } from './commands.ts';
import { checkNpmCall, npmCallsIn } from './npm-calls.ts';
import type { Fence, Page } from './page.ts';
import { programIn, projectOf, standInCommands } from './programs.ts';

/** What a page takes for granted. */
export interface Surroundings {
  /** wsluice.yaml where the page shows none, and the gateway before it has started one; by default request mode in front of both backends. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Files that lie in the user's folder. */
  readonly files?: Readonly<Record<string, string>>;
}

interface Program {
  readonly child: Child;
  readonly ports: readonly number[];
  readonly isGateway: boolean;
}

/** The ports that pages name; each stands for a free one. */
const portNames = /(?<![\d.,])(?:80[89]\d|90\d\d)(?![\d.,]\d|\d)/g;
const configName = 'wsluice.yaml';
const clientPort = '8080';
const adminPort = '8081';
const prometheusPort = '9090';
const backendPorts = ['9001', '9002'];
const startsGateway = /(?:^|\s)(?:npm start|wsluice)(?!.*\becho\b)(?:\s|$)/;
const asksGateway = /:(8080|8081)\b/;
/** Long enough for a machine that does ten other things. */
const longestScriptMs = 120_000;

/** Where the commands of one page run, one after the other: a folder, two JSON-RPC backends, and whatever the page has started. */
export class DocsWorld {
  readonly dir: string;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #backends: ReadonlyMap<number, JsonRpcBackend>;
  readonly #env: Readonly<Record<string, string>>;
  #programs: Program[] = [];

  private constructor(
    page: Page,
    surroundings: Surroundings,
    ports: ReadonlyMap<string, number>,
    backends: ReadonlyMap<number, JsonRpcBackend>,
  ) {
    this.#ports = ports;
    this.#backends = backends;
    this.dir = projectOf(page, (text) => this.translated(text));
    const upstreams = backendPorts.map((name) => `ws://127.0.0.1:${name}`);
    const config = surroundings.config ?? { pools: { main: { mode: 'request', upstreams } } };
    const files = { [configName]: stringify(config), ...yamlFiles(page), ...surroundings.files };
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(this.dir, name), this.translated(text));
    this.#env = {
      PATH: [standInCommands(), process.env['PATH']].join(delimiter),
      HOME: this.dir,
      WSLUICE_PORT: String(this.port(clientPort)),
      WSLUICE_ADMIN_PORT: String(this.port(adminPort)),
      PROMETHEUS_PORT: String(this.port(prometheusPort)),
    };
  }

  static async open(page: Page, surroundings: Surroundings = {}): Promise<DocsWorld> {
    const named = new Set([clientPort, adminPort, prometheusPort, ...(page.text.match(portNames) ?? [])]);
    const ports = new Map<string, number>();
    const backends = new Map<number, JsonRpcBackend>();
    for (const name of backendPorts) {
      const backend = await startJsonRpcBackend({ name });
      backends.set(backend.port, backend);
      ports.set(name, backend.port);
    }
    for (const name of named) if (!ports.has(name)) ports.set(name, await freePort());
    return new DocsWorld(page, surroundings, ports, backends);
  }

  /** The port that stands for the one the page names. */
  port(name: string): number {
    return this.#ports.get(name)!;
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.port(adminPort)}`;
  }

  get clientUrl(): string {
    return `ws://127.0.0.1:${this.port(clientPort)}/ws`;
  }

  /** The gateway that the page names by the usual ports; undefined when it does not run. */
  get gateway(): Child | undefined {
    return this.#gateways.find(({ ports }) => ports.includes(this.port(adminPort)))?.child;
  }

  get #gateways(): Program[] {
    return this.#programs.filter(({ child, isGateway }) => isGateway && !child.hasExited());
  }

  /** Starts that gateway where it does not run, and ends those beside it. */
  async onlyUsualGateway(): Promise<void> {
    await this.ensureGateway();
    const others = this.#gateways.filter(({ child }) => child !== this.gateway);
    await this.#endThoseWith(others.flatMap(({ ports }) => ports));
  }

  /** Ends all gateways, as a person does before the next thing is tried. */
  endAll(): Promise<void> {
    return this.#endThoseWith(this.#gateways.flatMap(({ ports }) => ports));
  }

  /** A text of the page with the ports that there are, and its temporary files in the page's folder. */
  translated(text: string): string {
    const withPorts = text.replace(portNames, (name) => String(this.#ports.get(name) ?? name));
    return withPorts.replaceAll('/tmp/', `${this.dir}/`);
  }

  /** Runs a block, and returns what its commands printed; throws with that when one of them fails. */
  async run({ text }: Fence): Promise<string> {
    let output = '';
    const ends = (file: string): boolean => !/Server\(/.test(programIn(this.dir, file) ?? '');
    for (const { kind, text: command } of stepsOf(text, ends)) {
      if (kind === 'program') output += await this.#start(command);
      else output += await this.#runScript(command);
    }
    for (const call of npmCallsIn(this.dir)) checkNpmCall(call);
    return output;
  }

  /** The gateway that the page takes for granted, where none runs: that of wsluice.yaml. */
  async ensureGateway(): Promise<void> {
    if (this.gateway !== undefined) return;
    const child = runWsluice(['--config', join(this.dir, configName)], this.#env);
    await this.#whenReady({ child, ports: [this.port(adminPort)], isGateway: true });
  }

  async #runScript(text: string): Promise<string> {
    // What doctor says depends on the machine; 1 is an answer as well.
    const script = this.translated(text).replace(/^.*\bdoctor\b.*$/gm, '$& || [ $? = 1 ]');
    if (asksGateway.test(text)) await this.ensureGateway();
    const child = startChild('bash', ['-c', `set -euo pipefail\n${script}`], {
      ...{ env: this.#env, cwd: this.dir, ownGroup: true },
      // As at a terminal where nobody types: wscat goes when its input ends.
      openStdin: true,
    });
    const late = setTimeout(() => child.signal('SIGKILL'), longestScriptMs);
    const code = await child.exited;
    clearTimeout(late);
    if (code !== 0) throw new Error(`${script}\nended with ${code}:\n${child.output()}`);
    return child.output();
  }

  /** Starts a program in the place of those that have its ports. */
  async #start(text: string): Promise<string> {
    const command = this.translated(text.replace('npm ci && ', ''));
    if (/^curl /.test(text) && asksGateway.test(text)) await this.ensureGateway();
    const ports = this.#portsOf(command);
    await this.#endThoseWith(ports);
    const child = startChild('bash', ['-c', `exec env ${command}`], { env: this.#env, cwd: this.dir });
    await this.#whenReady({ child, ports, isGateway: startsGateway.test(command) });
    return child.output();
  }

  async #whenReady(program: Program): Promise<void> {
    this.#programs.push(program);
    const { child, ports, isGateway } = program;
    if (!isGateway && ports.length > 0) return waitForPort(child, ports[0]!, longestScriptMs);
    await eventually(() => {
      if (child.hasExited()) throw new Error(`ended before it was ready:\n${child.output()}`);
      if (child.output() === '' || (isGateway && !child.output().includes('wsluice is ready')))
        throw new Error(`not ready yet:\n${child.output()}`);
    }, longestScriptMs);
  }

  /** The ports that a program listens on. */
  #portsOf(command: string): number[] {
    const [, file] = /^node (\S+\.m?js)/.exec(command) ?? [];
    const source = file === undefined ? '' : (programIn(this.dir, file) ?? '');
    const listened = [...source.matchAll(/\bport: (\d+)/g)].map(([, port]) => Number(port));
    if (file !== undefined) return listened;
    if (/^(node -e|curl) /.test(command)) return [];
    if (command.startsWith('prometheus')) return [this.port(prometheusPort)];
    const flag = (name: string, otherwise: number): number =>
      Number(new RegExp(`--${name}[ =](\\d+)`).exec(command)?.[1] ?? otherwise);
    if (/\becho\b/.test(command)) return [flag('port', this.port(backendPorts[0]!))];
    return [flag('admin-port', this.port(adminPort))];
  }

  async #endThoseWith(ports: readonly number[]): Promise<void> {
    for (const port of ports) await this.#backends.get(port)?.stop();
    const inTheWay = this.#programs.filter((program) => program.ports.some((port) => ports.includes(port)));
    this.#programs = this.#programs.filter((program) => !inTheWay.includes(program));
    for (const { child } of inTheWay) {
      child.signal('SIGKILL');
      await child.exited;
    }
  }
}

/** The files of the page: its `yaml` blocks that begin with `# <name>`. */
function yamlFiles({ fences }: Page): Record<string, string> {
  const named = fences.flatMap(({ language, text }): [string, string][] => {
    const name = language === 'yaml' ? /^# (\S+\.ya?ml)$/.exec(text.split('\n', 1)[0]!)?.[1] : undefined;
    return name === undefined ? [] : [[name, text]];
  });
  return Object.fromEntries(named);
}
