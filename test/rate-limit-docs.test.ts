import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { startChild } from './support/child.ts';
import { CHECKOUT, startGateway } from './support/gateway.ts';
import { getLimits } from './support/limits-api.ts';

const page = readFileSync(join(CHECKOUT, 'docs/rate-limits.md'), 'utf8');

/** What stands in the first fenced block of this language that has the text in it. */
function example(language: string, text: string): string {
  const blocks = [...page.matchAll(/```(\w+)\n([\s\S]*?)```/g)];
  const found = blocks.find(([, of, code]) => of === language && code!.includes(text));
  if (found === undefined) throw new Error(`docs/rate-limits.md has no ${language} example with ${text}`);
  return found[2]!.trim();
}

it('the configuration of docs/rate-limits.md starts a gateway with its limits', async () => {
  const config = parse(example('yaml', 'rateLimits:')) as { rateLimits: { scope: string }[] };
  const gateway = await startGateway({
    config: { ...config, pools: { main: { mode: 'request', upstreams: ['echo:'] } } },
  });
  const { limits } = await getLimits(gateway);
  const configured = limits.filter(({ isImplied }) => !isImplied).map(({ config: { scope } }) => scope);
  expect(configured).toEqual(config.rateLimits.map(({ scope }) => scope));
  expect(gateway.logs().filter(({ level }) => Number(level) >= 40)).toEqual([]);
});

it('the flags of docs/rate-limits.md are limits', async () => {
  const args = example('sh', '--rate-limit').split(' ').slice(3);
  const gateway = await startGateway({ args });
  const { limits } = await getLimits(gateway);
  expect(limits.filter(({ isImplied }) => !isImplied)).toHaveLength(2);
});

it('the curl command of docs/rate-limits.md replaces the limits', async () => {
  const gateway = await startGateway();
  const command = example('sh', 'curl').replace('http://127.0.0.1:8081', gateway.adminUrl);
  const curl = startChild('sh', ['-c', command]);
  expect(await curl.exited, curl.output()).toBe(0);
  const { limits } = await getLimits(gateway);
  expect(limits[0]!.config).toMatchObject({ scope: 'ip', requestsPerSecond: 50 });
});

it('wscat is told 429 when its address connects too often', async () => {
  const gateway = await startGateway({ args: ['--rate-limit', 'token-bucket:0.01/s,burst=1,per=ip'] });
  const wscat = (): ReturnType<typeof startChild> => {
    const file = join(CHECKOUT, 'node_modules/.bin/wscat');
    return startChild(process.execPath, [file, '-c', gateway.url, '-x', 'hello', '-w', '1'], {
      openStdin: true,
    });
  };
  const first = wscat();
  expect(await first.exited, first.output()).toBe(0);
  expect(first.output()).toContain('hello');
  const second = wscat();
  await second.exited;
  expect(second.output()).toContain('429');
});
