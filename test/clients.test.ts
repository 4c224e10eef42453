import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startChild } from './support/child.ts';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { CHECKOUT, startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { OPCODE, RawClient } from './support/raw-client.ts';

describe('a gateway started with nothing configured', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway();
    await eventually(() => expect(gateway.output(), 'the start-up line').toContain('wscat'));
  });

  it('says where to connect, and a wscat line to try', () => {
    const startUp = gateway.output();
    expect(startUp).toContain(gateway.url);
    expect(startUp).toMatch(new RegExp(`wscat -c ws://127\\.0\\.0\\.1:${gateway.port}/ws`));
    expect(startUp).toContain(String(gateway.adminPort));
  });

  it('logs JSON lines with a time, a level and a message', () => {
    expect(gateway.logs().length).toBeGreaterThan(0);
    for (const line of gateway.logs()) {
      expect(line, JSON.stringify(line)).toHaveProperty('msg');
      expect(line).toHaveProperty('level');
      expect(line).toHaveProperty('time');
    }
    const lines = gateway.output().split('\n').filter(Boolean);
    expect(gateway.logs(), 'every line is JSON when nobody sits at a terminal').toHaveLength(lines.length);
  });

  it('echoes to ws', async () => {
    const client = await connectClient(gateway.url);
    client.send('hello');
    expect(await client.next()).toEqual({ data: Buffer.from('hello'), isBinary: false });
    client.send(Buffer.from([1, 2, 3]));
    expect(await client.next()).toEqual({ data: Buffer.from([1, 2, 3]), isBinary: true });
    expect(await client.close(1000, 'bye')).toEqual({ code: 1000, reason: 'bye' });
  });

  it('echoes to ws that offers permessage-deflate, which it declines', async () => {
    const client = await connectClient(gateway.url, { perMessageDeflate: true });
    expect(client.socket.extensions).toBe('');
    client.send('plain');
    expect(await client.nextText()).toBe('plain');
  });

  it('echoes to wscat', async () => {
    const wscat = join(CHECKOUT, 'node_modules/.bin/wscat');
    const args = [wscat, '-c', gateway.url, '-x', 'hello from wscat', '-w', '1'];
    const child = startChild(process.execPath, args, { openStdin: true });
    expect(await child.exited, child.output()).toBe(0);
    expect(child.output()).toContain('hello from wscat');
  });

  it('never masks what it sends', async () => {
    const { client } = await RawClient.upgrade(gateway.port);
    const bytes = new Promise<Buffer>((resolve) => client.socket.once('data', resolve));
    client.send(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    expect(await bytes).toEqual(Buffer.from([0x81, 0x02, 0x68, 0x69]));
    expect((await client.nextFrame()).opcode).toBe(OPCODE.text);
  });
});
