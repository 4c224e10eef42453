import type { Environment, RunResult } from '../../result/run-result.ts';
import { bytesText, countText } from '../../../server/admin/page/format.ts';
import type { Block } from '../report-page.ts';

/** The machine and the settings of a run, by their names. */
export function environmentBlocks({ environment, settings, target, command }: RunResult): Block[] {
  const load = Object.entries(settings).map(([name, value]) => [name, settingText(value)] as const);
  return [
    { kind: 'facts', title: 'Machine', facts: environmentRows(environment) },
    { kind: 'facts', title: 'Load', facts: [['command', command], ['target', target], ...load] },
  ];
}

/** Name and value of each thing that is known of a machine. */
export function environmentRows(environment: Environment): (readonly [string, string])[] {
  return [
    ['CPU', `${environment.cpu}, ${environment.cores} cores`],
    ['Memory', bytesText(environment.memoryBytes)],
    ['System', environment.system],
    ['Network', environment.network],
    ['Open files', `${countText(environment.openFiles)} a process`],
    ['Node.js', environment.node],
    ['wsluice', environment.wsluice],
    ...Object.entries(environment.others),
  ];
}

export function settingText(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'number' && Number.isInteger(value) ? countText(value) : String(value);
}
