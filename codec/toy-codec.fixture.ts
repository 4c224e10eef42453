import { CodecError, type Codec } from './codec.ts';

/** A codec whose thread pool works when the test says so: it packs runs of a letter as the letter and their length. */
export class ToyCodec implements Codec {
  readonly name = 'toy';
  readonly encodeInPoolFromBytes: number;
  encoded = 0;
  readonly #jobs: (() => void)[] = [];

  constructor({ encodeInPoolFromBytes = 100 } = {}) {
    this.encodeInPoolFromBytes = encodeInPoolFromBytes;
  }

  /** Jobs that wait to be done. */
  get waiting(): number {
    return this.#jobs.length;
  }

  encode(plain: Uint8Array): Uint8Array {
    this.encoded++;
    const runs = Buffer.from(plain)
      .toString('latin1')
      .replace(/(.)\1*/gs, (run) => `${run[0]}${run.length};`);
    return Buffer.from(runs, 'latin1');
  }

  decodesSlowly(packed: Uint8Array): boolean {
    return packed.length >= this.encodeInPoolFromBytes || Buffer.from(packed).includes('S');
  }

  decode(packed: Uint8Array, maxBytes: number): Uint8Array {
    const text = Buffer.from(packed).toString('latin1');
    if (!/^(.\d+;)*$/s.test(text)) throw new CodecError('undecodable', 'no runs');
    const plain = text.replace(/(.)(\d+);/gs, (_, letter: string, length) => letter.repeat(Number(length)));
    if (plain.length > maxBytes) throw new CodecError('too-big', 'too long');
    return Buffer.from(plain, 'latin1');
  }

  encodeInPool(plain: Uint8Array): Promise<Uint8Array> {
    return this.#later(() => this.encode(plain));
  }

  decodeInPool(packed: Uint8Array, maxBytes: number): Promise<Uint8Array> {
    return this.#later(() => this.decode(packed, maxBytes));
  }

  /** Does the oldest job, and lets what follows from it happen. */
  async work(): Promise<void> {
    this.#jobs.shift()!();
    await new Promise((resolve) => setImmediate(resolve));
  }

  #later(job: () => Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#jobs.push(() => {
        try {
          resolve(job());
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }
}
