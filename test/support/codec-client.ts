import { connectClient } from './client.ts';
import type { Client, ConnectOptions } from './client.ts';
import { pack, unpack } from './codec-wire.ts';
import type { CodecName, Unpacked } from './codec-wire.ts';

/** A `ws` client that speaks a codec. */
export interface CodecClient extends Client {
  /** Sends a message compressed. */
  sendPacked(data: string | Buffer): void;
  nextUnpacked(withinMs?: number): Promise<Unpacked>;
  /** Sends a message compressed and takes the next one. */
  echo(data: string | Buffer, withinMs?: number): Promise<Unpacked>;
}

/** What a client speaks. */
export interface CodecOptions extends ConnectOptions {
  readonly codec: CodecName;
  readonly dictionary?: Buffer;
}

/** Connects to `url`, which says the codec itself unless the subprotocols do. */
export async function connectCodecClient(url: string, options: CodecOptions): Promise<CodecClient> {
  const { codec, dictionary, ...rest } = options;
  const client = await connectClient(url, rest);
  const nextUnpacked = async (withinMs?: number): Promise<Unpacked> =>
    unpack(codec, await client.next(withinMs), dictionary);
  const sendPacked = (data: string | Buffer): void => client.send(pack(codec, data, dictionary));
  return {
    ...client,
    sendPacked,
    nextUnpacked,
    echo: (data, withinMs) => {
      sendPacked(data);
      return nextUnpacked(withinMs);
    },
  };
}
