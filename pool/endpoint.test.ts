import { describe, expect, it } from 'vitest';
import { Endpoint } from './endpoint.ts';

const endpoint = (url: string, trusted = false): Endpoint => new Endpoint({ url, trusted });

describe('Endpoint', () => {
  it('reads host, port and target from a ws:// URL', () => {
    expect(endpoint('ws://rpc.example:9001/v1?key=1')).toMatchObject({
      secure: false,
      socketPath: undefined,
      host: 'rpc.example',
      port: 9001,
      authority: 'rpc.example:9001',
      path: '/v1?key=1',
      serverName: 'rpc.example',
    });
  });

  it('knows the default ports', () => {
    expect(endpoint('ws://rpc.example')).toMatchObject({ port: 80, authority: 'rpc.example', path: '/' });
    expect(endpoint('wss://rpc.example')).toMatchObject({ port: 443, secure: true });
  });

  it('reads a unix socket with and without a target', () => {
    expect(endpoint('ws+unix:/run/a.sock')).toMatchObject({ socketPath: '/run/a.sock', path: '/' });
    expect(endpoint('ws+unix:///run/a.sock:/v1?x=1')).toMatchObject({
      socketPath: '/run/a.sock',
      path: '/v1?x=1',
      label: 'ws+unix:/run/a.sock',
      authority: 'localhost',
    });
  });

  it('takes an IPv6 address without its brackets and sends no server name for an address', () => {
    const local = endpoint('wss://[::1]:9001/');
    expect(local).toMatchObject({ host: '::1', authority: '[::1]:9001', serverName: undefined });
    expect(endpoint('wss://10.0.0.1/').serverName).toBeUndefined();
  });

  it('turns userinfo into basic authorization, percent signs decoded', () => {
    const credentials = `Basic ${Buffer.from('ada:p@ss:word').toString('base64')}`;
    expect(endpoint('ws://ada:p%40ss%3Aword@rpc.example/').authorization).toBe(credentials);
    expect(endpoint('ws://rpc.example/').authorization).toBeUndefined();
  });

  it('keeps secrets out of its label', () => {
    expect(endpoint('wss://ada:secret@rpc.example/v1?token=secret').label).toBe('wss://rpc.example/v1');
  });

  it('trusts this machine, unix sockets and what it was told to trust', () => {
    const trusted = [
      'ws://localhost:1',
      'ws://127.0.0.1:1',
      'ws://127.9.9.9:1',
      'ws://[::1]:1',
      'ws+unix:/a.sock',
    ];
    expect(trusted.filter((url) => !endpoint(url).trusted)).toEqual([]);
    const strange = ['ws://10.0.0.1:1', 'ws://127.0.0.1.example:1', 'ws://localhost.example:1'];
    expect(strange.filter((url) => endpoint(url).trusted)).toEqual([]);
    expect(endpoint('ws://10.0.0.1:1', true).trusted).toBe(true);
  });

  it('is unavailable while its dials fail and as loaded as it has connections', () => {
    const one = endpoint('ws://10.0.0.1:1');
    one.connections = 3;
    expect(one.available).toBe(true);
    expect(one.load).toBe(3);
    one.failures = 1;
    expect(one.available).toBe(false);
  });

  describe('that leaves requests without an answer', () => {
    const guarded = () =>
      new Endpoint({
        url: 'ws://10.0.0.1:1',
        trusted: false,
        breaker: { failureThreshold: 2, successThreshold: 1, resetTimeoutMs: 1_000 },
      });

    it('is left alone when nothing was answered since they were sent', () => {
      const one = guarded();
      one.answered(0, 5, false);
      for (const sentAtMs of [10, 20]) one.timedOut(sentAtMs, sentAtMs + 100);
      expect(one.admits).toBe(false);
    });

    it('is well as long as it answers others', () => {
      const one = guarded();
      one.answered(40, 50, false);
      for (const sentAtMs of [10, 20, 30]) one.timedOut(sentAtMs, sentAtMs + 100);
      expect([one.admits, one.standing.failures]).toEqual([true, 0]);
    });

    it('fails its probe even when late answers came meanwhile', () => {
      const one = guarded();
      for (const sentAtMs of [10, 20]) one.timedOut(sentAtMs, sentAtMs + 100);
      one.breaker.tick(2_000);
      one.asked(2_000);
      one.answered(15, 2_010, false);
      one.timedOut(2_000, 2_100);
      expect(one.admits).toBe(false);
    });
  });
});

describe('the state of an endpoint', () => {
  it('is the worst that is known of it', () => {
    const breaker = { failureThreshold: 1, successThreshold: 1, resetTimeoutMs: 100 };
    const one = new Endpoint({ url: 'ws://a', trusted: true, breaker });
    expect(one.state).toBe('untried');
    one.openedAtMs = 1;
    expect(one.state).toBe('up');
    one.failures = 1;
    expect(one.state).toBe('down');
    one.standing.eject(500);
    expect(one.state).toBe('ejected');
    one.lost(10);
    expect(one.state).toBe('breaker-open');
    one.breaker.tick(200);
    expect(one.state).toBe('half-open');
    one.removed = true;
    expect(one.state).toBe('removed');
  });
});
