import { grouped } from '../result/grouped.ts';
import type { ScaleOptions } from './options.ts';

/** What of a machine bounds a run. */
export interface Machine {
  readonly cores: number;
  /** That one process may have open. */
  readonly openFiles: number;
  /** That all processes together may have open, of what is not open yet. */
  readonly filesLeft: number;
  readonly memoryLeftBytes: number;
  /** Ports that connections may come from, at each address. */
  readonly ports: number;
}

/** How many processes of each kind a run takes. */
export interface Plan {
  readonly loaders: number;
  readonly gateways: number;
  readonly backends: number;
}

/** Files of a loader that are no clients, and of a server. */
const loaderFiles = 500;
const serverFiles = 1_100;
/** The kernel spreads clients unevenly over gateways that share a port: none is planned to be full. */
const mostPerGateway = 15_000;
const fullShare = 0.95;
const mostPerBackend = 15_000;
/** What one process of each is good for, roughly; more of them than the machine has cores are no faster. */
const ratePerLoader = 40_000;
const ratePerGateway = 60_000;
const mostProcesses = 64;
/** Loopback addresses of one loader. */
const addressesPerLoader = 4;
/** Both ends and the loader, with what the kernel has for each; then what a process takes that has none. */
const bytesPerConnection = 30_000;
const bytesPerSession = 50_000;
const bytesPerProcess = 110e6;

/** Returns how many processes it takes; throws, with the number of connections that would fit, when the machine has no room. */
export function planFor(options: ScaleOptions, machine: Machine, manyAddresses: boolean): Plan {
  const { connections } = options;
  const plan = processesFor(options, machine);
  const tightest = [...roomOf(options, plan, machine, manyAddresses)].sort((a, b) => a.most - b.most)[0]!;
  if (connections > tightest.most)
    throw new Error(
      `${grouped(connections)} connections are too many for this machine: ${tightest.what}, so that ${grouped(Math.max(0, Math.floor(tightest.most)))} would fit; ${tightest.remedy}`,
    );
  return plan;
}

function processesFor(options: ScaleOptions, { cores, openFiles }: Machine): Plan {
  const { connections, ratePerSecond, mode, url } = options;
  const filesPerClient = mode === 'session' ? 2 : 1;
  const perGateway = Math.min(mostPerGateway, openFiles - serverFiles) / filesPerClient;
  const byCpu = (ratePer: number, share: number): number =>
    Math.min(Math.ceil(ratePerSecond / ratePer), Math.max(1, Math.floor(cores * share)));
  const loaders = Math.max(
    Math.ceil(connections / Math.max(1, openFiles - loaderFiles)),
    byCpu(ratePerLoader, 0.5),
  );
  const gateways = Math.max(Math.ceil(connections / Math.max(1, perGateway)), byCpu(ratePerGateway, 0.5));
  const backends =
    mode === 'session'
      ? Math.ceil(connections / Math.max(1, Math.min(mostPerBackend, openFiles - serverFiles)))
      : 1;
  return {
    loaders: Math.min(options.processes ?? loaders, connections),
    gateways: url ? 0 : (options.gateways ?? gateways),
    backends: url || mode === 'echo' ? 0 : backends,
  };
}

interface Room {
  readonly what: string;
  readonly most: number;
  readonly remedy: string;
}

function* roomOf(
  options: ScaleOptions,
  plan: Plan,
  machine: Machine,
  manyAddresses: boolean,
): Generator<Room> {
  const { mode, url } = options;
  const { openFiles, ports, filesLeft, memoryLeftBytes } = machine;
  const session = mode === 'session' && !url;
  const files = `a process may have ${grouped(openFiles)} files open`;
  const raise = 'raise the limit (ulimit -n, sysctl/limits.conf)';
  const loaders = Math.min(options.processes ?? mostProcesses, mostProcesses);
  yield {
    what: `${files}, and ${loaders} loader processes are the most here`,
    most: (openFiles - loaderFiles) * loaders,
    remedy: options.processes === undefined ? raise : `${raise}, or give more --processes`,
  };
  if (!url) {
    const gateways = Math.min(options.gateways ?? mostProcesses, mostProcesses);
    yield {
      what: `${files}, and ${gateways} gateways are the most here`,
      most: (fullShare * (openFiles - serverFiles) * gateways) / (session ? 2 : 1),
      remedy: options.gateways === undefined ? raise : `${raise}, or give more --gateways`,
    };
  }
  yield manyAddresses
    ? {
        what: `${plan.loaders} loader processes have ${grouped(ports)} ports at each of ${addressesPerLoader} addresses`,
        most: plan.loaders * ports * addressesPerLoader,
        remedy: 'give more --processes, or a wider net.ipv4.ip_local_port_range',
      }
    : {
        what: `to one address that is not 127.0.0.0/8 there are ${grouped(ports)} ports to connect from`,
        most: ports,
        remedy: 'load it from several machines, or set a wider net.ipv4.ip_local_port_range',
      };
  yield {
    what: `all processes together may open ${grouped(filesLeft)} files more`,
    most: filesLeft / (url ? 1 : session ? 4 : 2),
    remedy: 'raise fs.file-max',
  };
  const processes =
    Math.min(plan.loaders, mostProcesses) + Math.min(plan.gateways, mostProcesses) + plan.backends;
  yield {
    what: `${grouped(memoryLeftBytes / 1e6)} MB of memory are free`,
    most: (memoryLeftBytes - processes * bytesPerProcess) / (session ? bytesPerSession : bytesPerConnection),
    remedy: 'end other programs, or use a machine with more memory',
  };
}
