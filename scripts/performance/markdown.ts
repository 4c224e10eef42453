import type { RunResult } from '../../loadtest/result/run-result.ts';

/** Returns a table; cells are text, numbers stand to the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const marks = head.map((_, column) => (column === 0 ? '---' : '--:'));
  return [line(head), line(marks), ...rows.map(line)].join('\n');
}

/** Returns one line about a run: the command that prints it, when and where it ran. */
export function aboutLine({ command, startedAt, environment, seconds }: RunResult): string {
  const { cpu, cores, memoryBytes, system, node, network, others } = environment;
  const where = [
    `${cores} cores (${cpu})`,
    `${Math.round(memoryBytes / 2 ** 30)} GB`,
    system,
    `Node ${node.replace(/^v/, '')}`,
    ...Object.entries(others).map(([name, version]) => `${name} ${version}`),
    network,
  ];
  return `\`${command}\`, ${startedAt.slice(0, 10)}, ${duration(seconds)}: ${where.join(', ')}.`;
}

/** A whole number with its thousands apart. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Milliseconds as three digits or so; a dash where nothing was measured. */
export function ms(value: number | undefined): string {
  if (value === undefined) return '–';
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : whole(value);
}

/** Bytes as MB. */
export function megabytes(bytes: number | null): string {
  return bytes === null ? '–' : `${whole(bytes / 1e6)} MB`;
}

function duration(seconds: number): string {
  return seconds < 120 ? `${whole(seconds)} s` : `${whole(seconds / 60)} min`;
}
