import { globSync } from 'node:fs';
import { seconds, type CommandResult } from '../run/command.ts';
import type { Installer } from './apt.ts';
import type { Part } from './parts.ts';

export interface Preparation {
  readonly parts: readonly Part[];
  readonly installer: Installer | undefined;
  /** Runs `npm ci` in a folder. */
  readonly installNpm: (folder: string) => Promise<CommandResult>;
  readonly say: (line: string) => void;
}

/** Makes the parts present where it may, says one line for each that was not, and returns those still missing. */
export async function prepareParts(preparation: Preparation): Promise<Part[]> {
  const { parts, say } = preparation;
  const missing: Part[] = [];
  for (const part of parts) {
    if (part.isPresent()) continue;
    const reason = await installPart(part, preparation);
    if (reason !== undefined) missing.push(part);
    if (reason !== undefined) say(`  missing ${part.name} (${reason}); leaves out ${suiteNames(part)}`);
  }
  const present = parts.filter((part) => !missing.includes(part)).map((part) => part.name);
  if (present.length > 0) say(`  present: ${present.join(', ')}`);
  return missing;
}

/** The files of the suites that need a part, relative to the repository root. */
export function suiteFiles(part: Part): string[] {
  return part.suites.flatMap((glob) => globSync(glob)).sort();
}

/** Undefined once the part is there, else why it is not. */
async function installPart(
  part: Part,
  { installer, installNpm, say }: Preparation,
): Promise<string | undefined> {
  const what = 'npmFolder' in part ? `${part.name} (npm ci in ${part.npmFolder})` : part.debianPackage;
  if (!('npmFolder' in part) && installer === undefined)
    return `apt-get install ${part.debianPackage} brings it`;
  say(`  installing ${what} …`);
  const result =
    'npmFolder' in part ? await installNpm(part.npmFolder) : await installer!.install(part.debianPackage);
  if (part.isPresent()) {
    say(`  installed ${what} in ${seconds(result.durationMs)}`);
    return undefined;
  }
  return `${'npmFolder' in part ? 'npm' : 'apt-get'}: ${lastLine(result.output)}`;
}

function suiteNames(part: Part): string {
  return suiteFiles(part).join(', ') || 'no suite yet';
}

function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? '';
}
