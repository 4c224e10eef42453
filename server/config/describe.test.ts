import { describe as suite, expect, it } from 'vitest';
import {
  allowedText,
  defaultAt,
  describe,
  keysOf,
  nodeAt,
  publicJsonSchema,
  schemaTree,
} from './describe.ts';

const root = schemaTree();
const allowedAt = (...path: string[]): string => allowedText(nodeAt(root, path) ?? {});

suite('describe', () => {
  it('gives every setting a row with a description that ends in a full stop, and a default unless it is required', () => {
    const rows = describe(root);
    expect(rows.length).toBeGreaterThan(70);
    expect(rows.filter(({ description }) => !/^\S.*\.$/.test(description))).toEqual([]);
    expect(rows.filter(({ defaultText }) => defaultText === undefined).map(({ key }) => key)).toEqual([
      'listen.tls.cert',
      'listen.tls.key',
      'rateLimits[].scope',
      'rateLimits[].strategy',
      'rateLimits[].requestsPerSecond',
      'routes[].path',
      'routes[].pool',
      'pools.<name>.subscriptions.custom[].subscribe',
      'pools.<name>.subscriptions.custom[].unsubscribe',
      'pools.<name>.subscriptions.custom[].notification',
      'pools.<name>.subscriptions.progress[].notification',
      'pools.<name>.subscriptions.cancel[].method',
      'pools.<name>.subscriptions.asks[].method',
    ]);
  });

  it('says the unit of every time and size', () => {
    const inMilliseconds = describe(root).filter(({ key }) => key.endsWith('Ms'));
    const inBytes = describe(root).filter(({ key }) => key.endsWith('Bytes'));
    expect(inMilliseconds.filter(({ description }) => !/milliseconds/i.test(description))).toEqual([]);
    expect(inBytes.filter(({ description }) => !/bytes/i.test(description))).toEqual([]);
  });
});

it('says in words what a key takes', () => {
  expect(allowedAt('listen', 'port')).toBe('a whole number from 0 to 65535');
  expect(allowedAt('workers')).toBe('auto or a whole number from 1 to 256');
  expect(allowedAt('profile')).toBe('throughput, availability, latency, bandwidth, balanced or cpu, or null');
  expect(allowedAt('pools', 'any', 'mode')).toBe('session, request or mux');
  expect(allowedAt('pools', 'any', 'retry', 'budgetRatio')).toBe('a number from 0 to 1');
  expect(allowedAt('pools', 'any', 'forwardQuery')).toBe('true or false');
  expect(allowedAt('listen', 'tls')).toBe('a mapping or null');
});

it('finds nodes through pools and lists, and nothing where the schema has nothing', () => {
  expect(nodeAt(root, ['rateLimits', 3, 'burst'])?.description).toContain('bucket');
  expect(nodeAt(root, ['listen', 'constructor'])).toBeUndefined();
  expect(keysOf(nodeAt(root, ['admin']))).toEqual(['host', 'port', 'token']);
});

it('knows the default of a value inside a default', () => {
  expect(defaultAt(root, ['routes', 0, 'pool'])).toBe('main');
  expect(defaultAt(root, ['pools', 'any', 'maxConnections'])).toBe(1_000);
  expect(defaultAt(root, ['routes', 1, 'pool'])).toBeUndefined();
});

it('publishes a JSON Schema without words of our own, which refuses unknown keys and names', () => {
  const schema = publicJsonSchema();
  expect(JSON.stringify(schema)).not.toMatch(/"(allowed|later)":/);
  expect(schema).toMatchObject({
    additionalProperties: false,
    properties: {
      pools: { propertyNames: { pattern: '^[a-z0-9-]{1,32}$' } },
      listen: { additionalProperties: false, properties: { port: { type: 'integer', maximum: 65_535 } } },
    },
  });
});
