import type { CodedUpstream } from './coded-upstream.ts';
import { Endpoint } from './endpoint.ts';
import { FakeConnection } from './modes/fake-upstream.fixture.ts';
import {
  openCoded,
  pack,
  ToyUpstreamCodec,
  undecodable,
  unpack,
  type ToyTranscoder,
  type ToyUpstreamCodecOptions,
} from './toy-upstream-codec.fixture.ts';
import type { UpstreamOwner } from './upstream.ts';
import { closePayload, frame } from './wire/frames.fixture.ts';
import { Opcode } from './wire/opcode.ts';

/** A connection with a codec, its owner, and the back end at its other side. */
export class CodedWorld implements UpstreamOwner {
  /** Everything the owner was told, in order. */
  readonly told: string[] = [];
  readonly connection: FakeConnection;
  readonly upstream: CodedUpstream;
  readonly toy: ToyTranscoder;
  /** What was unsent when the owner was told that the connection is gone. */
  left: string[] = [];

  constructor({
    maxBufferedBytes = 65_536,
    protocol = '',
    ...options
  }: ToyUpstreamCodecOptions & { maxBufferedBytes?: number; protocol?: string } = {}) {
    const endpoint = new Endpoint({ url: 'ws://10.0.0.1:1', trusted: false });
    this.connection = new FakeConnection(endpoint, { maxBufferedBytes, protocol });
    const { upstream, toy } = openCoded(this.connection.upstream, new ToyUpstreamCodec(options));
    this.upstream = upstream;
    this.toy = toy;
    upstream.owner = this;
  }

  onUpstreamMessage(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    this.told.push((isBinary ? 'b:' : '') + Buffer.from(buf.subarray(start, end)).toString());
  }

  onUpstreamGone(code: number, reason: string): void {
    this.told.push(`gone ${code}${reason}`);
    this.left = this.unsent();
  }

  onUpstreamWritable(): void {
    this.told.push('writable');
  }

  send(...texts: string[]): void {
    for (const text of texts) {
      const bytes = Buffer.from(`..${text}..`);
      this.upstream.send(bytes, 2, bytes.length - 2, false);
      bytes.fill('!');
    }
  }

  /** The upstream says something packed. */
  say(...texts: string[]): void {
    for (const text of texts) this.connection.feed(frame({ opcode: Opcode.Binary, payload: pack(text) }));
  }

  sayGarbage(): void {
    this.connection.feed(frame({ opcode: Opcode.Binary, payload: undecodable }));
  }

  /** The upstream says goodbye. */
  leave(): void {
    this.connection.feed(frame({ opcode: Opcode.Close, payload: closePayload(4001, '') }));
  }

  /** The messages that the back end got, unpacked. */
  get heard(): string[] {
    return this.connection.frames
      .filter(({ opcode }) => opcode === Opcode.Binary)
      .map(
        ({ payload }) =>
          (unpack(payload).isBinary ? 'b:' : '') + Buffer.from(unpack(payload).bytes).toString(),
      );
  }

  unsent(): string[] {
    const texts: string[] = [];
    this.upstream.unsent((buf, start, end) => texts.push(Buffer.from(buf.subarray(start, end)).toString()));
    return texts;
  }
}
