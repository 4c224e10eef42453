import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { runReady } from './ready.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  while (stops.length > 0) stops.pop()!();
});

/** Answers with each status in turn, the last one from then on. Resolves to its port. */
function answering(...statuses: number[]): Promise<number> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/ready' ? statuses[0]! : 404);
    response.end(statuses[0] === 200 ? '{"status":"ready"}' : 'no upstream in pool main\n');
    if (statuses.length > 1) statuses.shift();
  });
  stops.push(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function ready(port: number | string, wait = '0', host = '127.0.0.1'): Promise<Result> {
  let [out, err] = ['', ''];
  const stdout = { write: (chunk: string) => (out += chunk) };
  const stderr = { write: (chunk: string) => (err += chunk) };
  const env = { WSLUICE_ADMIN_HOST: host };
  const code = await runReady({ flags: { adminPort: String(port) }, env, wait, stdout, stderr });
  return { code, out, err };
}

it('returns 0 when the gateway is ready', async () => {
  const port = await answering(200);
  expect(await ready(port)).toEqual({ code: 0, out: `ready: http://127.0.0.1:${port}/ready\n`, err: '' });
});

it('asks this machine where the admin listener takes every address, and needs no token for it', async () => {
  expect((await ready(await answering(200), '0', '0.0.0.0')).code).toBe(0);
});

it('asks again until it is, for as long as it may', async () => {
  expect((await ready(await answering(503, 503, 200), '30')).code).toBe(0);
  expect(await ready(await answering(503, 200))).toMatchObject({ code: 1, out: '' });
});

it('says why it is not', async () => {
  const port = await answering(503);
  expect((await ready(port)).err).toBe(
    `not ready: http://127.0.0.1:${port}/ready: 503 no upstream in pool main\n`,
  );
  const nobody = await ready(1);
  expect(nobody).toMatchObject({ code: 1, err: expect.stringContaining('ECONNREFUSED') as string });
});

it('returns 1 for a configuration or a time that is none', async () => {
  expect(await ready('x')).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/^--admin-port x: /) as string,
  });
  expect(await ready(1, 'long')).toMatchObject({ code: 1, err: '--wait long: not a number of seconds\n' });
});
