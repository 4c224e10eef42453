import { join, resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { compilePackage } from '../../../scripts/compile.ts';
import { compiledPackage } from './compiled-package.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the compiled package. */
    readonly wsluicePackage: string;
  }
}

const checkout = {
  root: resolve(import.meta.dirname, '../../..'),
  // The checks of `npm test` look at the types.
  compile: (outDir: string): void => compilePackage(outDir, { types: false }),
};

/** Before the end-to-end suites, and before each rerun while vitest watches: compiles the package where that has not been done. */
export default function setUp(project: TestProject): void {
  const provide = (): void => {
    const folder = compiledPackage(checkout);
    project.provide('wsluicePackage', folder);
    // The gateways are started hundreds of times, and Node compiles them once.
    process.env['NODE_COMPILE_CACHE'] = join(folder, 'node-compile-cache');
  };
  provide();
  project.onTestsRerun(provide);
}
