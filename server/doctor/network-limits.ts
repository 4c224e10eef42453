import type { Demand } from './demand.ts';
import { grouped, sysctlPlace, type Change, type Limit } from './limit.ts';
import type { Machine } from './machine.ts';

/** What listen(2) is told by the engine; the kernel takes the lesser of it and net.core.somaxconn. */
const engineBacklog = 512;

/** Ports from here on are rarely listened on; below are those of services. */
const firstPort = 10_240;
const lastPort = 65_535;

/** What the network stack sets: ports, memory for what waits, tracked connections, the queue of new ones. */
export function networkLimits(machine: Machine, demand: Demand): Limit[] {
  return [
    ports(machine, demand),
    tcpMemory(machine, demand),
    ...(machine.conntrackMax === undefined ? [] : [conntrack(machine, machine.conntrackMax, demand)]),
    backlog(machine),
  ];
}

function ports({ ports: count, portRange }: Machine, { addresses, wanted }: Demand): Limit {
  const clients = addresses === undefined ? Infinity : count && count * addresses.count;
  return {
    name: 'ports',
    key: 'net.ipv4.ip_local_port_range',
    what: 'ports to connect from',
    value: portRange,
    shown: portRange?.join(' ') ?? 'unknown',
    clients,
    note:
      addresses === undefined
        ? 'no client has an upstream connection over TCP of its own'
        : `pool ${addresses.pool} has ${grouped(addresses.count)} upstream ${addresses.count === 1 ? 'address' : 'addresses'}`,
    changes:
      clients === undefined || clients >= wanted || addresses === undefined
        ? []
        : [morePorts(addresses, wanted)],
  };
}

function morePorts({ pool, count }: NonNullable<Demand['addresses']>, wanted: number): Change {
  const most = lastPort - firstPort + 1;
  if (most * count >= wanted) {
    const line = `sysctl -w net.ipv4.ip_local_port_range="${firstPort} ${lastPort}"`;
    return {
      line,
      where: `${sysctlPlace}; ports that something listens on belong in ip_local_reserved_ports`,
    };
  }
  return {
    line: `pools: { ${pool}: { upstreams: […] } }`,
    where: `in the configuration: ${grouped(Math.ceil(wanted / most))} addresses, other ports will do; or mode: request or mux`,
  };
}

/** Idle connections need none. The bound is where one page waits in each, which the kernel grants the smallest of buffers. */
function tcpMemory({ tcpMem }: Machine, demand: Demand): Limit {
  const most = tcpMem?.[2];
  const clients = most && Math.max(0, Math.floor((most - demand.sharedConnections) / demand.tcpPerClient));
  const needed = demand.wanted * demand.tcpPerClient + demand.sharedConnections;
  const line = `sysctl -w net.ipv4.tcp_mem="${Math.ceil(needed / 2)} ${Math.ceil((needed * 2) / 3)} ${needed}"`;
  return {
    name: 'tcp_mem',
    key: 'net.ipv4.tcp_mem',
    what: 'pages for what waits in sockets',
    value: tcpMem,
    shown: tcpMem?.join(' ') ?? 'unknown',
    clients,
    note: 'one page of 4 KiB in each connection; idle ones need none',
    changes: clients === undefined || clients >= demand.wanted ? [] : [{ line, where: sysctlPlace }],
  };
}

function conntrack({ tracked }: Machine, value: number, demand: Demand): Limit {
  const others = tracked ?? 0;
  // Where no rule asks for it, nothing is tracked, not even the connection of whoever types this.
  const idle = tracked === 0;
  const clients = idle
    ? Infinity
    : Math.max(0, Math.floor((value - others - demand.sharedConnections) / demand.tcpPerClient));
  const needed = others + demand.sharedConnections + demand.wanted * demand.tcpPerClient;
  return {
    name: 'nf_conntrack_max',
    key: 'net.netfilter.nf_conntrack_max',
    what: 'connections that the firewall tracks',
    value,
    shown: grouped(value),
    clients,
    note: idle ? 'nothing is tracked' : `${grouped(others)} are tracked now`,
    changes:
      clients >= demand.wanted
        ? []
        : [{ line: `sysctl -w net.netfilter.nf_conntrack_max=${needed}`, where: sysctlPlace }],
  };
}

function backlog({ somaxconn }: Machine): Limit {
  const short = somaxconn !== undefined && somaxconn < engineBacklog;
  return {
    name: 'somaxconn',
    key: 'net.core.somaxconn',
    what: 'connections that wait to be taken',
    value: somaxconn,
    shown: somaxconn === undefined ? 'unknown' : grouped(somaxconn),
    clients: somaxconn === undefined ? undefined : Infinity,
    note: short
      ? `the gateway asks for ${engineBacklog}, and loses some when many connect at once`
      : `the gateway asks for ${engineBacklog}: so many may connect at once`,
    changes: short ? [{ line: 'sysctl -w net.core.somaxconn=4096', where: sysctlPlace }] : [],
  };
}
