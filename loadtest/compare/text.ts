import { grouped } from '../result/grouped.ts';
import type { RunResult } from '../result/run-result.ts';
import { refusalRule } from './bottleneck.ts';
import { mostShared } from './contestants.ts';
import type { DepthFigures } from './run.ts';
import { figuresTable, ratioTable } from './table.ts';

const protocolNames = {
  echo: '64 bytes of text, echoed',
  jsonrpc: 'JSON-RPC, 73 bytes, answered by one backend',
};
const sharing = ['request', 'mux'];

/** What is compared, where. */
export function headline({ environment, target }: RunResult): string {
  const versions = Object.entries(environment.others).map(([name, version]) => `, ${name} ${version}`);
  return `${target}\n${environment.cores} cores (${environment.cpu}), Node ${environment.node}${versions.join('')}, ${environment.network}\n`;
}

/** Returns the tables of one depth: those who do the same work together, then the ratios. */
export function comparisonText({ depth, rounds, medians, ratios }: DepthFigures, clients: number): string {
  const parts = [
    `depth ${depth}, ${grouped(clients)} clients, ${rounds === 1 ? 'one round' : `medians of ${rounds} rounds`}`,
  ];
  for (const [protocol, name] of Object.entries(protocolNames)) {
    const figures = medians.filter((one) => one.protocol === protocol);
    if (figures.length > 0) parts.push(`${name}\n${figuresTable(figures)}`);
  }
  if (ratios.length > 0) parts.push(`round trips per second\n${ratioTable(ratios)}`);
  for (const { server, upstreamConnections: used } of medians)
    if (sharing.includes(server) && used !== undefined)
      parts.push(
        `${server}: ${grouped(clients)} clients over ${used} upstream connections (goal ≤ ${mostShared}: ${used <= mostShared ? 'met' : 'missed'})`,
      );
  return `${parts.join('\n\n')}\n`;
}

/** How to read it. */
export const legend = `saturated: the process that used up its core. "the machine": all cores were used up together and no process had one to itself, so that a
server would do more on cores of its own; CPU per message says how much. "none": nobody was, the clients were too few to find a ceiling.
Refused: ${refusalRule}.`;
