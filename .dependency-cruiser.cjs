// Who may import whom. `npm run check:imports` and `npm test` enforce it, type imports included;
// scripts/check-imports.test.ts breaks each rule once and sees it reported.

const leaves = ['pool', 'codec', 'ratelimit', 'metrics'];
const production = '^(server|pool|codec|ratelimit|metrics)/';
const testCode = '\\.(test|contract|bench|fixture)\\.ts$';

/** One rule per leaf: it imports neither the server nor another leaf. */
const leafRules = leaves.map((leaf) => ({
  name: `${leaf}-is-a-leaf`,
  comment: `${leaf}/ imports neither server/ nor another leaf; server/gateway.ts joins them.`,
  severity: 'error',
  from: { path: `^${leaf}/` },
  to: { path: `^(${['server', ...leaves.filter((other) => other !== leaf)].join('|')})/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...leafRules,
    {
      name: 'no-cycles',
      comment: 'Two files that import each other, even for types only, are one idea or three.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'engine-behind-the-listener',
      comment: 'server/listener.ts is the only file that knows uWebSockets.js.',
      severity: 'error',
      from: { pathNot: '^(server/listener\\.ts$|loadtest/|test/)' },
      to: { path: '(^|/)uWebSockets\\.js(/|$)' },
    },
    {
      name: 'no-test-code-in-production',
      comment: 'What ships does not import tests, contracts, benches, load tests or scripts.',
      severity: 'error',
      from: { path: production, pathNot: testCode },
      to: { path: `^(test|loadtest|scripts)/|${testCode}` },
    },
    {
      name: 'no-dev-dependency-in-production',
      comment: 'What ships imports only what package.json lists under dependencies.',
      severity: 'error',
      from: { path: production, pathNot: testCode },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-missing-file',
      comment: 'Every import resolves.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|loadtest/node_modules)/' },
    // Without it type imports are erased before the rules see them.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
