import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

/** Suites whose real parts are missing on this machine, comma-separated; test/run.ts knows them. */
const leftOut = (process.env['LEAVE_OUT_SUITES'] ?? '').split(',').filter((file) => file !== '');

/** Suites that go by the time something takes, or that load the machine: each has it to itself. */
const alone = [
  'breaker',
  'deploy',
  'drain',
  'heartbeat',
  'mux',
  'pooling',
  'prometheus-alerts',
  'rate-limit',
  'rate-limit-answers',
  'rate-limit-charges',
  'rate-limit-delay',
  'redis-*',
  'request',
  'restart',
  'scaling',
  'scenarios',
  'slow-upstream',
  'thread-gateways',
].map((name) => `test/${name}.test.ts`);

/** Beside its source, but it looks at what its process has loaded, and shares that with no other file. */
const notUnit = ['codec/client/lazy-loading.test.ts'];

const setupFiles = ['test/support/tear-down.set-up.ts'];
const notEndToEnd = [...configDefaults.exclude, 'test/{parts,run,support}/**', ...leftOut];
/** By default one core of two would stay idle. */
const maxWorkers = Math.max(2, availableParallelism());
const endToEnd = {
  setupFiles,
  globalSetup: ['test/support/program/set-up.ts'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{server,pool,codec,ratelimit,metrics,scripts}/**/*.test.ts',
            'loadtest/*/**/*.test.ts',
            'test/{parts,run,support}/**/*.test.ts',
          ],
          exclude: [...configDefaults.exclude, ...notUnit],
          setupFiles,
          // To load all modules again for each file takes as long as the tests do.
          isolate: false,
          testTimeout: 30_000,
          maxWorkers,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/**/*.test.ts', ...notUnit],
          exclude: [...notEndToEnd, ...alone],
          ...endToEnd,
          maxWorkers,
        },
      },
      {
        test: {
          name: 'e2e-alone',
          include: alone,
          exclude: notEndToEnd,
          ...endToEnd,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
