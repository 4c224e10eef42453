import { environmentRows, settingText } from '../run/environment-blocks.ts';
import type { RunResult } from '../../result/run-result.ts';

/** Something about two runs that is not the same. */
export interface Unlike {
  readonly name: string;
  readonly a: string;
  readonly b: string;
  /** What two runs may well be compared for: another build, or another version below it. */
  readonly isExpected: boolean;
}

const absent = '(not said)';
const expected = /^(wsluice|Node\.js)$/;
/** The target of a run may be an address, of which the port is another each time. */
const portOfAddress = /:\d+(?=\/|$)/;

/** Machine, versions, target and settings that differ. */
export function unlikeOf(a: RunResult, b: RunResult): Unlike[] {
  const [ofA, ofB] = [factsOf(a), factsOf(b)];
  const names = [...new Set([...ofA.keys(), ...ofB.keys()])];
  return names.flatMap((name): Unlike[] => {
    const [inA, inB] = [ofA.get(name) ?? absent, ofB.get(name) ?? absent];
    return inA === inB ? [] : [{ name, a: inA, b: inB, isExpected: expected.test(name) }];
  });
}

function factsOf({ environment, target, settings }: RunResult): Map<string, string> {
  return new Map([
    ...environmentRows(environment),
    ['Target', target.replace(portOfAddress, '')] as const,
    ...Object.entries(settings).map(([name, value]) => [`setting ${name}`, settingText(value)] as const),
  ]);
}
