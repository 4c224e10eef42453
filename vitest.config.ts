import { configDefaults, defineConfig } from 'vitest/config';

/** Suites whose real parts are missing on this machine, comma-separated; test/run.ts knows them. */
const leftOut = (process.env['LEAVE_OUT_SUITES'] ?? '').split(',').filter((file) => file !== '');

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{server,pool,codec,ratelimit,metrics,scripts}/**/*.test.ts',
            'loadtest/{bench,report,scale}/**/*.test.ts',
            'test/{parts,run,support}/**/*.test.ts',
          ],
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'test/{parts,run,support}/**', ...leftOut],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // vitest then runs these files one by one, and not beside the unit tests: what is timed has the cores to itself.
          fileParallelism: false,
        },
      },
    ],
  },
});
