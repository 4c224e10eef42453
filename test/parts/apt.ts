import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { runCommand, type CommandResult } from '../run/command.ts';
import { hasPrograms } from './parts.ts';

/**
 * Installs one package and starts none of its daemons: unless the machine has a policy of its own,
 * a policy-rc.d that denies every start stands there while apt-get runs.
 */
const installScript = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy"
fi
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 "$1"
`;
const updateScript = 'apt-get update -q -o DPkg::Lock::Timeout=120';
const installTimeoutMs = 600_000;

/** Installs Debian packages one at a time; refreshes the package lists once, when a package is not found in them. */
export interface Installer {
  /** Never rejects: a failed install is a result with `ok: false` and what apt-get said. */
  readonly install: (debianPackage: string) => Promise<CommandResult>;
}

/** The installer of this machine, or undefined where we may not install or apt-get is not there. */
export function findInstaller(): Installer | undefined {
  if (!existsSync('/etc/debian_version') || !hasPrograms('apt-get')) return undefined;
  const shell = rootShell();
  if (shell === undefined) return undefined;
  let listsAreFresh = false;
  return {
    async install(debianPackage) {
      const first = await runAsRoot(shell, installScript, debianPackage);
      if (first.ok || listsAreFresh) return first;
      listsAreFresh = true;
      const update = await runAsRoot(shell, updateScript);
      return update.ok ? runAsRoot(shell, installScript, debianPackage) : update;
    },
  };
}

/** The command that runs a script as root without asking anybody, or undefined. */
function rootShell(): readonly string[] | undefined {
  if (process.getuid?.() === 0) return ['sh'];
  return spawnSync('sudo', ['-n', 'true']).status === 0 ? ['sudo', '-n', 'sh'] : undefined;
}

function runAsRoot(shell: readonly string[], script: string, ...args: string[]): Promise<CommandResult> {
  return runCommand([...shell, '-c', script, 'sh', ...args], { timeoutMs: installTimeoutMs });
}
