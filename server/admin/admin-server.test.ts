import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { onTearDown } from '../../test/support/tear-down.ts';
import { errorTypes, rejectReasons } from '../close-codes.ts';
import { ask, openAdmin } from './admin.fixture.ts';

const start = async (...args: Parameters<typeof openAdmin>): Promise<number> =>
  (await openAdmin(...args)).port;

describe('the admin listener', () => {
  it('answers /health with JSON', async () => {
    const { status, headers, body } = await ask(await start(), '/health');
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect(JSON.parse(body)).toMatchObject({ status: 'ok', connections: 0 });
  });

  it('answers /ready with 503 and the reason while it is not', async () => {
    const now = { ready: false, why: 'draining' };
    const port = await start({ readiness: () => now });
    const { status, body } = await ask(port, '/ready');
    expect([status, JSON.parse(body)]).toEqual([503, { status: 'not ready', why: 'draining' }]);
    now.ready = true;
    expect((await ask(port, '/ready')).status).toBe(200);
  });

  it('knows a path with a query, and answers 404 to what it does not know', async () => {
    const port = await start();
    expect((await ask(port, '/health?x=1')).status).toBe(200);
    for (const path of ['/nope', '/health/', '/metricsx', '//health', '/%68ealth', '/__proto__']) {
      expect([path, (await ask(port, path)).status]).toEqual([path, 404]);
    }
    expect((await ask(port, '/nope')).body).toMatch(
      /^known here: \/health, \/ready, \/metrics, .*\/api\/pools\/<name>\/pause, .*\n$/,
    );
  });

  it.each(['/health', '/ready', '/metrics', '/api/limits'])(
    'answers HEAD %s without a body',
    async (path) => {
      const { status, body } = await ask(await start(), path, {}, 'HEAD');
      expect([status, body]).toEqual([200, '']);
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('answers 405 with Allow to %s', async (method) => {
    const port = await start();
    for (const path of ['/health', '/metrics', '/nope']) {
      const { status, headers } = await ask(port, path, {}, method);
      expect([status, headers['allow']]).toEqual([405, 'GET, HEAD']);
    }
  });

  it('writes the text format, and OpenMetrics to who accepts it', async () => {
    const port = await start();
    const text = await ask(port, '/metrics');
    expect(text.headers['content-type']).toContain('text/plain; version=0.0.4');
    expect(text.body).toContain('# TYPE websocket_connections_total gauge');
    expect(text.body).not.toContain('# EOF');
    const accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3';
    const openMetrics = await ask(port, '/metrics', { accept });
    expect(openMetrics.headers['content-type']).toContain('application/openmetrics-text');
    expect(openMetrics.body.trimEnd().endsWith('# EOF')).toBe(true);
    expect((await ask(port, '/metrics', { accept: '*/*' })).headers['content-type']).toContain('text/plain');
  });

  it('publishes every error type and reject reason from the start', async () => {
    const { body } = await ask(await start(), '/metrics');
    for (const type of errorTypes) expect(body).toContain(`websocket_errors_total{type="${type}"} 0`);
    for (const reason of rejectReasons)
      expect(body).toContain(`websocket_rejected_total{reason="${reason}"} 0`);
  });

  it('answers 500 without the reason when something throws, which the log has', async () => {
    const errors: unknown[] = [];
    const port = await start({
      onError: (error) => errors.push(error),
      readiness: () => {
        throw new Error('bug: secret detail');
      },
      pools: () => {
        throw new Error('bug: secret detail');
      },
    });
    for (const path of ['/ready', '/metrics']) {
      const { status, body } = await ask(port, path);
      expect(status).toBe(500);
      expect(body).not.toContain('secret');
    }
    expect(errors.map(String)).toEqual(Array(2).fill('Error: bug: secret detail'));
    expect((await ask(port, '/health')).status).toBe(200);
  });

  it('that cannot have its port is a WSLUICE_LISTEN that names it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTearDown(() => void other.close());
    const { port } = other.address() as AddressInfo;
    await expect(start({ port })).rejects.toMatchObject({
      code: 'WSLUICE_LISTEN',
      message: expect.stringContaining(`127.0.0.1:${port}`) as string,
    });
  });

  it('cuts whoever is connected when it closes', async () => {
    const admin = await openAdmin();
    const { port } = admin;
    await ask(port, '/health', { connection: 'keep-alive' });
    admin.close();
    await expect(ask(port, '/health')).rejects.toThrow('ECONNREFUSED');
  });
});

describe('without a token, the Host', () => {
  it.each(['127.0.0.1', '127.0.0.1:8081', 'localhost', 'localhost:8081', '[::1]', '[::1]:8081'])(
    '%s is let in',
    async (host) => {
      expect((await ask(await start(), '/metrics', { host })).status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'evil.example:8081',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil-localhost',
    'evil.example#localhost',
    'localhost@evil.example',
    'localhost:8081:8081',
    'localhost, evil.example',
  ])('%j, which a page can be made to send by DNS rebinding, is refused everywhere', async (host) => {
    const port = await start();
    for (const path of ['/metrics', '/health', '/ready', '/api/limits']) {
      const { status, body } = await ask(port, path, { host });
      expect([status, body.includes('websocket_')]).toEqual([403, false]);
    }
    for (const path of ['/metrics', '/api/limits']) {
      for (const method of ['POST', 'PUT'])
        expect((await ask(port, path, { host }, method)).status).toBe(403);
    }
  });
});

describe('with a token', () => {
  const token = 's3cret-token~!';

  it('serves whoever bears it', async () => {
    const port = await start({ token });
    for (const authorization of [`Bearer ${token}`, `bearer ${token}`]) {
      expect((await ask(port, '/metrics', { authorization })).status).toBe(200);
    }
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${token}x`,
    `Bearer ${token.slice(0, -1)}`,
    `Bearer  ${token}`,
    `Bearer ${token.toUpperCase()}`,
    `Basic ${Buffer.from(`user:${token}`).toString('base64')}`,
    token,
    `Bearer ${'x'.repeat(5_000)}`,
    'Bearer null',
    'Bearer undefined',
  ])('answers 401 that asks for it to Authorization: %j', async (authorization) => {
    const port = await start({ token });
    const { status, headers, body } = await ask(port, '/metrics', { authorization });
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(body).not.toContain(token);
  });

  it('says nothing of what exists to whoever has it not', async () => {
    const port = await start({ token });
    for (const path of ['/metrics', '/nope', '/api/limits']) {
      for (const method of ['GET', 'POST', 'PUT']) {
        const { status, headers } = await ask(port, path, {}, method);
        expect([path, method, status, headers['allow']]).toEqual([path, method, 401, undefined]);
      }
    }
  });

  it('does not take it from the query', async () => {
    expect((await ask(await start({ token }), `/metrics?token=${encodeURIComponent(token)}`)).status).toBe(
      401,
    );
  });

  it('leaves /health and /ready open', async () => {
    const port = await start({ token });
    expect([(await ask(port, '/health')).status, (await ask(port, '/ready')).status]).toEqual([200, 200]);
  });
});
