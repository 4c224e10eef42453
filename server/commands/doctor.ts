import { ConfigError } from '../config/faults.ts';
import type { FlagValues } from '../config/flags.ts';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import { asJson } from '../doctor/as-json.ts';
import { asText } from '../doctor/as-text.ts';
import { diagnose } from '../doctor/diagnosis.ts';
import { MachineFiles } from '../doctor/machine-files.ts';
import { readMachine } from '../doctor/machine.ts';
import type { Runtime } from '../doctor/runtime.ts';
import type { TextSink } from './check.ts';

export interface DoctorOptions {
  /** Those of `serve`. */
  readonly flags: FlagValues;
  readonly env: NodeJS.ProcessEnv;
  readonly json: boolean;
  /** The process whose limits count: a gateway that runs, or `self`. */
  readonly pid?: string | undefined;
  readonly runtime: Runtime;
  readonly files?: MachineFiles;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
}

/** `wsluice doctor`: says what this machine can hold. Returns 0 when the configured clients fit, 1 when they do not or the configuration has faults. */
export function runDoctor(options: DoctorOptions): number {
  const { json, pid = 'self', runtime, files = new MachineFiles(), stdout } = options;
  const loaded = loadOrExplain(options);
  if (loaded === undefined) return 1;
  if (!/^(self|[1-9]\d*)$/.test(pid) || (files.text(`proc/${pid}/limits`) === undefined && pid !== 'self'))
    return explain([`--pid ${pid}: no such process`], options);
  const diagnosis = diagnose(readMachine(files, pid), loaded.config, runtime.heapLimitBytes);
  stdout.write((json ? asJson : asText)(diagnosis, { runtime, source: loaded.source }));
  return diagnosis.fits && runtime.engineProblem === undefined ? 0 : 1;
}

function loadOrExplain(options: DoctorOptions): LoadedConfig | undefined {
  try {
    return loadConfig({ flags: options.flags, env: options.env });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    explain(error.lines, options);
    return undefined;
  }
}

/** Says why there is no diagnosis; returns 1. */
function explain(faults: readonly string[], { json, stdout, stderr }: DoctorOptions): number {
  if (json) stdout.write(`${JSON.stringify({ fits: false, faults }, null, 2)}\n`);
  else for (const line of faults) stderr.write(`${line}\n`);
  return 1;
}
