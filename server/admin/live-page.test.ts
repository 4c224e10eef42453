import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ask, openAdmin } from './admin.fixture.ts';

const token = 'a-token-for-this-test';

describe('the live page', () => {
  it('is at /, with headers that let it load nothing from elsewhere and be in no frame', async () => {
    const { port } = await openAdmin();
    const { status, headers, body } = await ask(port, '/');
    expect([status, headers['content-type'], body.slice(0, 15)]).toEqual([
      200,
      'text/html; charset=utf-8',
      '<!doctype html>',
    ]);
    const policy = headers['content-security-policy'] as string;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|http|\*|data:|blob:/);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
  });

  it('names only files that are here, and they import only such', async () => {
    const { port } = await openAdmin();
    const seen = new Set(
      [...(await ask(port, '/')).body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => `/${path!}`),
    );
    for (const path of seen) {
      const { status, headers, body } = await ask(port, path);
      expect([path, status, headers['x-content-type-options']]).toEqual([path, 200, 'nosniff']);
      const imported = [...body.matchAll(/^import [^']*'([^']+)'/gm)];
      for (const [, module] of imported) seen.add(new URL(module!, `http://page${path}`).pathname);
    }
    expect([...seen]).toEqual(expect.arrayContaining(['/page/main.js', '/page/charts.ts', '/page/page.css']));
  });

  it('comes with 401 where the token is missing or wrong, for it asks for the token; its files are open', async () => {
    const { port } = await openAdmin({ token });
    for (const headers of [{}, { authorization: 'Bearer wrong-token' }]) {
      const reply = await ask(port, '/', headers);
      expect([reply.status, reply.headers['www-authenticate']]).toEqual([401, 'Bearer']);
      expect(reply.body).toContain('id="token-form"');
      expect(reply.headers['content-security-policy']).toBeDefined();
    }
    expect((await ask(port, '/', { authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await ask(port, '/page/main.js')).status).toBe(200);
    expect((await ask(port, '/', {}, 'POST')).body).not.toContain('<');
    expect((await ask(port, '/api/live')).status).toBe(401);
  });

  it('answers HEAD without a body, and 304 to who has a file already', async () => {
    const { port } = await openAdmin();
    expect(await ask(port, '/', {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
    const { headers } = await ask(port, '/page/page.css');
    expect(headers['cache-control']).toBe('no-cache');
    const again = await ask(port, '/page/page.css', { 'if-none-match': headers.etag! });
    expect(again).toMatchObject({ status: 304, body: '' });
  });

  it.each([
    'main.test.js',
    'tsconfig.json',
    'nope.js',
    '..',
    '..%2Flive-page.ts',
    '__proto__',
    'constructor',
  ])('has no file %s', async (name) => {
    const { port } = await openAdmin();
    expect((await ask(port, `/page/${name}`)).status).toBe(404);
  });

  it('is not answered where its Host is a name that is not ours', async () => {
    const { port } = await openAdmin();
    for (const path of ['/', '/page/main.js']) {
      expect((await ask(port, path, { host: 'rebound.example' })).status).toBe(403);
    }
  });

  it('makes no HTML out of text, and has no script or style inside', () => {
    const folder = join(import.meta.dirname, 'page');
    const sources = readdirSync(folder).filter((name) => /\.(ts|html)$/.test(name));
    for (const name of sources) {
      const source = readFileSync(join(folder, name), 'utf8');
      expect([name, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/.exec(source)]).toEqual([
        name,
        null,
      ]);
      if (name.endsWith('.html'))
        expect(source).not.toMatch(/<style|<script(?![^>]* src=)|\son\w+=|\sstyle=/);
    }
  });
});
