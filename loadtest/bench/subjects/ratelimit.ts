import type { Bench, Subject } from '../subject.ts';
import { measureEcho } from './ratelimit-echo.ts';
import { measureRedisLeases } from './ratelimit-redis.ts';
import { measureStrategies } from './ratelimit-strategies.ts';
import { measureThreads } from './ratelimit-threads.ts';

/** Each prints what it measured, and returns it. */
const parts: Readonly<Record<string, (bench: Bench) => Promise<unknown>>> = {
  strategies: measureStrategies,
  threads: measureThreads,
  redis: measureRedisLeases,
  echo: measureEcho,
};

/** What a check of a rate limit costs beside other ways to make it: another package, other threads, Redis, an echo. */
export const ratelimit: Subject = {
  name: 'ratelimit-compared',
  async run(bench) {
    for (const [part, measure] of Object.entries(parts)) {
      const figures = await measure(bench);
      if (figures !== undefined) bench.keepOther({ subject: 'ratelimit-compared', part, figures });
    }
  },
};
