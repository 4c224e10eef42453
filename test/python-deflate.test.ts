import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from './support/child.ts';
import { CHECKOUT, startGateway } from './support/gateway.ts';

/** By offer: whether all messages came back, and whether compression was agreed on. */
type Seen = Readonly<Record<string, readonly [same: boolean, compressed: boolean]>>;

const [compressed, plain] = [
  [true, true],
  [true, false],
] as const;

it.each<[string, Seen]>([
  [
    'shared',
    {
      default: compressed,
      bare: compressed,
      'small windows': plain,
      'server window': plain,
      'server forgets': compressed,
      'client forgets': compressed,
    },
  ],
  [
    'dedicated-32KB',
    {
      default: compressed,
      bare: compressed,
      'small windows': compressed,
      'server window': compressed,
      'server forgets': plain,
      'client forgets': compressed,
    },
  ],
])('permessage-deflate %s serves Python websockets, which checks every answer', async (mode, expected) => {
  const gateway = await startGateway({
    config: { listen: { permessageDeflate: mode }, codec: { minBytes: 0 } },
  });
  const script = join(CHECKOUT, 'test/fixtures/deflate-client.py');
  const python = startChild('/usr/bin/python3', [script, gateway.url]);
  expect(await python.exited, python.output()).toBe(0);
  expect(JSON.parse(python.output())).toEqual(expected);
});
