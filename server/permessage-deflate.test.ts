import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeflatingSocket, type DeflatableSocket } from './deflating-socket.ts';
import { acceptableOffer, engineCompression, type DeflateMode } from './permessage-deflate.ts';

const sizes = ['4KB', '8KB', '16KB', '32KB', '64KB', '128KB', '256KB'] as const;
const modes: readonly DeflateMode[] = ['shared', ...sizes.map((size) => `dedicated-${size}` as const)];

describe('engineCompression', () => {
  it.each<[DeflateMode, number]>([
    ['off', 0],
    ['shared', 0x101],
    ['dedicated-4KB', 0x992],
    ['dedicated-8KB', 0xaa3],
    ['dedicated-16KB', 0xbb4],
    ['dedicated-32KB', 0xcc5],
    ['dedicated-64KB', 0xdd6],
    ['dedicated-128KB', 0xee7],
    ['dedicated-256KB', 0xff8],
  ])('of %s is what the engine calls so, with a decompressor of the same window', (mode, flags) => {
    expect(engineCompression(mode)).toBe(flags);
  });
});

describe('acceptableOffer', () => {
  const name = 'permessage-deflate';
  const dedicated = 'dedicated-32KB';

  it('is none when off', () => expect(acceptableOffer(name, 'off')).toBe(''));

  it.each<[string, string, DeflateMode, string]>([
    ['no parameters', name, 'shared', name],
    ["a browser's", `${name}; client_max_window_bits`, dedicated, `${name}; client_max_window_bits`],
    [
      'spaces, or none',
      ` ${name} ;client_max_window_bits = 10`,
      dedicated,
      `${name}; client_max_window_bits=10`,
    ],
    [
      'a quoted number',
      `${name}; client_max_window_bits="9"`,
      dedicated,
      `${name}; client_max_window_bits=9`,
    ],
    ['another extension first', `bbf-usp, ${name}`, 'shared', name],
    ['one it can keep after one it cannot', `${name}; server_max_window_bits=10, ${name}`, 'shared', name],
    [
      'the largest window, as the next one',
      `${name}; server_max_window_bits=15`,
      dedicated,
      `${name}; server_max_window_bits=14`,
    ],
    [
      'nothing to remember',
      `${name}; server_no_context_takeover`,
      'shared',
      `${name}; server_no_context_takeover`,
    ],
  ])('takes %s', (_, header, mode, offer) => expect(acceptableOffer(header, mode)).toBe(offer));

  it.each<[string, string, DeflateMode]>([
    ['nothing', '', 'shared'],
    ['another extension', 'x-webkit-deflate-frame', 'shared'],
    ['a name of the same letters', 'permessage-deflaet', 'shared'],
    ['upper case', 'PERMESSAGE-DEFLATE', 'shared'],
    ['an unknown parameter', `${name}; level=9`, 'shared'],
    ['a parameter twice', `${name}; client_max_window_bits=9; client_max_window_bits`, dedicated],
    ['a window too small', `${name}; client_max_window_bits=7`, dedicated],
    ['a window too large', `${name}; client_max_window_bits=16`, dedicated],
    ['a leading zero', `${name}; client_max_window_bits=09`, dedicated],
    ['a window without a number', `${name}; server_max_window_bits`, dedicated],
    ['a value where none belongs', `${name}; client_no_context_takeover=1`, 'shared'],
    ['an empty parameter', `${name};`, 'shared'],
    ['a window of the shared compressor', `${name}; server_max_window_bits=12`, 'shared'],
    ['a window that zlib lacks', `${name}; server_max_window_bits=8`, dedicated],
    ['a dedicated compressor that forgets', `${name}; server_no_context_takeover`, dedicated],
  ])('takes nothing from %s', (_, header, mode) => expect(acceptableOffer(header, mode)).toBe(''));

  it('answers any header, with one offer at most', () => {
    const part = fc.constantFrom(
      name,
      ',',
      ';',
      '=',
      '"',
      ' ',
      '10',
      '8',
      'server_max_window_bits',
      'client_no_context_takeover',
      'x',
    );
    fc.assert(
      fc.property(fc.array(part), fc.constantFrom(...modes), (parts, mode) => {
        const offer = acceptableOffer(parts.join(''), mode);
        expect(offer === '' || /^permessage-deflate(; [a-z_]+(=\d+)?)*$/.test(offer)).toBe(true);
      }),
    );
  });
});

it('compresses what is long enough to gain and short enough not to hold up others', () => {
  const asked: [number, boolean][] = [];
  const inner = {
    send: (message: Uint8Array, _isBinary: boolean, compress: boolean) =>
      asked.push([message.length, compress]),
  } as unknown as DeflatableSocket;
  const socket = new DeflatingSocket(inner, 1_000);
  for (const length of [0, 999, 1_000, 1 << 20, (1 << 20) + 1]) socket.send(new Uint8Array(length), false);
  expect(asked).toEqual([
    [0, false],
    [999, false],
    [1_000, true],
    [1 << 20, true],
    [(1 << 20) + 1, false],
  ]);
});
