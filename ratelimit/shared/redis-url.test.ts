import { expect, it } from 'vitest';
import { parseRedisUrl, redisUrlProblem } from './redis-url.ts';

const plain = { tls: false, master: undefined, database: 0, username: undefined, password: undefined };

it.each([
  ['redis://', { ...plain, kind: 'single', nodes: [{ host: 'localhost', port: 6379 }] }],
  ['redis://cache/3', { ...plain, kind: 'single', nodes: [{ host: 'cache', port: 6379 }], database: 3 }],
  ['redis://[::1]:7000', { ...plain, kind: 'single', nodes: [{ host: '::1', port: 7000 }] }],
  [
    'rediss://me:p%40ss@cache.example:6380/',
    {
      ...plain,
      ...{ kind: 'single', nodes: [{ host: 'cache.example', port: 6380 }], tls: true },
      ...{ username: 'me', password: 'p@ss' },
    },
  ],
  ['redis://:a@b@c', { ...plain, kind: 'single', nodes: [{ host: 'c', port: 6379 }], password: 'a@b' }],
  [
    'redis+sentinel://:s3@a,b:1/the%20one/2',
    {
      ...plain,
      ...{ kind: 'sentinel', master: 'the one', database: 2, password: 's3' },
      nodes: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 1 },
      ],
    },
  ],
  [
    'REDISS+Cluster://10.0.0.1:7001,10.0.0.2',
    {
      ...plain,
      ...{ kind: 'cluster', tls: true },
      nodes: [
        { host: '10.0.0.1', port: 7001 },
        { host: '10.0.0.2', port: 6379 },
      ],
    },
  ],
])('reads %s', (url, target) => {
  expect(parseRedisUrl(url)).toEqual(target);
  expect(redisUrlProblem(url)).toBeUndefined();
});

it.each([
  ['http://host', 'is not a redis://'],
  ['redis+sentinels://host/m', 'is not a redis://'],
  ['redis:host', 'is not a redis://'],
  ['redis+sentinel://host:1', 'names no master'],
  ['redis+sentinel://host:1/', 'names no master'],
  ['redis+sentinel://host:1/%zz', 'names no master'],
  ['redis+sentinel:///main', 'names no host'],
  ['redis+cluster://a,,b', 'names no host'],
  ['redis+cluster://a/1', 'names a database'],
  ['redis://a,b', 'names several hosts'],
  ['redis://host:0', 'port'],
  ['redis://host:70000', 'port'],
  ['redis://:6379', 'port without a host'],
  ['redis://ho]st', 'host that is none'],
  ['redis://host/cache', 'database'],
  ['redis://host/1/2', 'more behind'],
  ['redis://host?db=1', 'query'],
  ['redis://user@host', 'user without a password'],
  ['redis://:%zz@host', 'does not decode'],
  ['redis://a b', 'white space'],
])('says what is wrong with %s', (url, problem) => {
  expect(redisUrlProblem(url)).toContain(problem);
});

it('repeats nothing of a URL in what is wrong with it', () => {
  const secret = 'hunter2hunter2';
  for (const url of [
    `redis://:${secret}@host:0`,
    `redis://${secret}@host`,
    `http://:${secret}@host`,
    `redis+sentinel://:${secret}@host`,
    `redis://host/${secret}`,
    `redis://host?password=${secret}`,
    `redis://:${secret} @host`,
  ]) {
    expect(redisUrlProblem(url)).toBeTypeOf('string');
    expect(redisUrlProblem(url)).not.toContain(secret);
  }
});
