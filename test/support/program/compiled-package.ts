import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
} from 'node:fs';
import { renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { compilerProjects, packageFolders } from '../../../scripts/compile.ts';

const dayMs = 86_400_000;
const isOnlyForTests = /\.(test|contract|bench|fixture)\.ts$|\/fixtures\/|\/__snapshots__\//;
const alsoDecisive = ['package.json', 'package-lock.json', 'tsconfig.json', 'scripts/compile.ts'];

export interface Checkout {
  /** Its folder. */
  readonly root: string;
  /** Compiles its sources as they are into a folder that is not there yet. */
  readonly compile: (outDir: string) => void;
}

/**
 * The folder of the package, compiled from the sources as they are: `package.json` and `dist/`. Each state of the sources has a folder of its
 * own, made once, so that nothing changes under a run of tests that still goes on; one that no run has used for a day is removed.
 */
export function compiledPackage(checkout: Checkout): string {
  // Node finds the dependencies from here as it would from an installed package.
  const builds = join(checkout.root, 'node_modules/.cache/wsluice');
  mkdirSync(builds, { recursive: true });
  let folder = join(builds, fingerprint(checkout));
  while (!existsSync(folder)) {
    compileInto(folder, checkout);
    // Sources that were saved meanwhile may be in it, or not.
    const now = join(builds, fingerprint(checkout));
    if (now !== folder) rmSync(folder, { recursive: true, force: true });
    folder = now;
  }
  utimesSync(folder, new Date(), new Date());
  removeUnused(builds);
  return folder;
}

/** Compiles beside the folder and moves it there when it is whole; another run may be quicker. */
function compileInto(folder: string, { root, compile }: Checkout): void {
  const building = mkdtempSync(`${folder}.`);
  try {
    copyFileSync(join(root, 'package.json'), join(building, 'package.json'));
    compile(join(building, 'dist'));
    renameSync(building, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** Of all that decides what is compiled. */
function fingerprint({ root }: Checkout): string {
  const inFolders = globSync(
    packageFolders.map((name) => `${name}/**/*.*`),
    { cwd: root },
  );
  const sources = inFolders.filter((file) => !isOnlyForTests.test(file)).sort();
  const hash = createHash('sha256');
  for (const file of [...sources, ...compilerProjects, ...alsoDecisive])
    for (const part of [file, readFileSync(join(root, file))]) hash.update(`${part.length} `).update(part);
  return hash.digest('hex').slice(0, 16);
}

function removeUnused(builds: string): void {
  for (const name of readdirSync(builds)) {
    const usedMs = statSync(join(builds, name), { throwIfNoEntry: false })?.mtimeMs;
    if (usedMs !== undefined && Date.now() - usedMs > dayMs)
      rmSync(join(builds, name), { recursive: true, force: true });
  }
}
