import { describe, expect, it } from 'vitest';
import { negotiateCodec } from './negotiate.ts';

const known = new Set(['zstd', 'gzip']);

function negotiate(codec: string | undefined, ...protocols: string[]) {
  return negotiateCodec({ codec, protocols }, known);
}

describe('negotiateCodec', () => {
  it('chooses none for a client that asks for none, and leaves its subprotocols alone', () => {
    expect(negotiate(undefined, 'b', 'a')).toEqual({ codec: undefined, protocol: '', protocols: ['b', 'a'] });
  });

  it('takes the codec of the URL, which no subprotocol answers for', () => {
    expect(negotiate('gzip', 'app')).toEqual({ codec: 'gzip', protocol: '', protocols: ['app'] });
  });

  it('takes the codec that is known first of those among the subprotocols, and answers with that', () => {
    expect(negotiate(undefined, 'wsluice.lz4', 'app', 'wsluice.gzip', 'wsluice.zstd')).toEqual({
      codec: 'zstd',
      protocol: 'wsluice.zstd',
      protocols: ['app'],
    });
  });

  it('prefers the URL, and answers with a subprotocol only if it is of that codec', () => {
    expect(negotiate('zstd', 'wsluice.gzip')).toEqual({ codec: 'zstd', protocol: '', protocols: [] });
    expect(negotiate('zstd', 'wsluice.gzip', 'wsluice.zstd')?.protocol).toBe('wsluice.zstd');
  });

  it.each([['lz4'], [''], ['ZSTD'], ['__proto__'], [undefined, 'wsluice.lz4'], ['lz4', 'wsluice.zstd']])(
    'knows no codec %j %j',
    (codec, ...protocols) => {
      expect(negotiate(codec, ...(protocols as string[]))).toBeUndefined();
    },
  );
});
