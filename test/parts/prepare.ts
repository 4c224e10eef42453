import { globSync } from 'node:fs';
import { seconds } from '../run/command.ts';
import type { Installer } from './apt.ts';
import type { Part } from './parts.ts';

export interface Preparation {
  readonly parts: readonly Part[];
  readonly installer: Installer | undefined;
  readonly say: (line: string) => void;
}

/** Makes the parts present where it may, says one line for each that was not, and returns those still missing. */
export async function prepareParts({ parts, installer, say }: Preparation): Promise<Part[]> {
  const missing: Part[] = [];
  for (const part of parts) {
    if (part.isPresent()) continue;
    const reason = await installPart(part, installer, say);
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
async function installPart(part: Part, installer: Installer | undefined, say: Preparation['say']) {
  if (installer === undefined) return `apt-get install ${part.debianPackage} brings it`;
  say(`  installing ${part.debianPackage} …`);
  const result = await installer.install(part.debianPackage);
  if (part.isPresent()) {
    say(`  installed ${part.debianPackage} in ${seconds(result.durationMs)}`);
    return undefined;
  }
  return `apt-get: ${lastLine(result.output)}`;
}

function suiteNames(part: Part): string {
  return suiteFiles(part).join(', ') || 'no suite yet';
}

function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? '';
}
