import { describe, expect, it } from 'vitest';
import type { Handler } from './http.ts';
import { allowedMethods, handlerOf, Routes } from './routes.ts';

const read: Handler = () => undefined;
const pause: Handler = () => undefined;
const routes = new Routes({
  '/api/pools': { GET: read },
  '/api/pools/<name>': { GET: read, PUT: read },
  '/api/pools/<name>/pause': { POST: pause },
});

describe('Routes', () => {
  it('finds what stands at a path, and what it has in the place of names', () => {
    expect(routes.find('/api/pools')).toEqual({ endpoint: { GET: read }, params: {} });
    expect(routes.find('/api/pools/main')?.params).toEqual({ name: 'main' });
    expect(routes.find('/api/pools/main/pause')).toEqual({
      endpoint: { POST: pause },
      params: { name: 'main' },
    });
  });

  it.each([
    '',
    '/',
    '/api',
    '/api/pools/',
    '/api/pools//pause',
    '/api/pools/a/b',
    '/API/pools',
    '//api/pools',
  ])('finds nothing at %j', (path) => expect(routes.find(path)).toBeUndefined());

  it('takes a segment as it is, whatever it says', () => {
    for (const name of ['__proto__', 'constructor', '..', '%6dain', '<name>']) {
      expect(routes.find(`/api/pools/${name}`)?.params['name']).toBe(name);
    }
  });

  it('says which methods are known, HEAD with GET', () => {
    const allowed = (path: string): string => allowedMethods(routes.find(path)?.endpoint).join(', ');
    expect(allowed('/api/pools')).toBe('GET, HEAD');
    expect(allowed('/api/pools/main')).toBe('GET, HEAD, PUT');
    expect(allowed('/api/pools/main/pause')).toBe('POST');
    expect(allowed('/nope')).toBe('GET, HEAD');
  });

  it('has a handler for the methods that are known there, and no other word', () => {
    const { endpoint } = routes.find('/api/pools/main/pause')!;
    expect(handlerOf(endpoint, 'POST')).toBe(pause);
    expect(handlerOf(routes.find('/api/pools')?.endpoint, 'HEAD')).toBe(read);
    for (const method of ['GET', 'HEAD', 'DELETE', 'open', '__proto__', 'post', undefined]) {
      expect(handlerOf(endpoint, method)).toBeUndefined();
    }
  });
});
