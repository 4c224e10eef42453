import { once } from 'node:events';
import { WebSocket } from 'ws';
import { eventually } from '../../../test/support/eventually.ts';
import { MUX, closeFrame, muxFrame } from '../../../test/support/mux-frames.ts';
import { MuxGateway } from '../../../test/support/mux-gateway.ts';
import { onTearDown } from '../../../test/support/tear-down.ts';
import { startMuxBackend } from './mux-backend.fixture.ts';
import { describeWsApi, type FarEnd, type Pair } from './ws-api.contract.ts';

const options = { ws: { maxPayload: 1_048_576 } };

describeWsApi('connected directly', async (): Promise<Pair> => {
  const backend = await startMuxBackend(options);
  const client = new WebSocket(backend.url);
  onTearDown(() => client.terminate());
  const messages: (string | Buffer)[] = [];
  let closed: FarEnd['closed'];
  client.on('message', (data: Buffer, isBinary) => messages.push(isBinary ? data : data.toString()));
  client.on('close', (code, reason) => (closed = { code, reason: reason.toString() }));
  await once(client, 'open');
  const far: FarEnd = {
    messages,
    get closed() {
      return closed;
    },
    send: (message) => client.send(message),
    sendParts: (parts) => parts.forEach((part, n) => client.send(part, { fin: n === parts.length - 1 })),
    sendBadText: () => client.send(Buffer.of(0xff), { binary: false }),
    close: (code, reason) => client.close(code, reason),
    vanish: () => setImmediate(() => client.terminate()),
    pause: () => client.pause(),
    resume: () => client.resume(),
  };
  return { socket: backend.sockets[0]!, far, url: undefined };
});

describeWsApi('behind a gateway', async (): Promise<Pair> => {
  const backend = await startMuxBackend(options);
  const gateway = await MuxGateway.connect(backend.url);
  const client = await gateway.accepted();
  const far: FarEnd = {
    messages: client.messages,
    get closed() {
      return client.closed;
    },
    send: (message) => client.send(message),
    sendParts: (parts) => {
      const type = (n: number): number => (n === parts.length - 1 ? MUX.text : MUX.textPart);
      gateway.send(...parts.map((part, n) => muxFrame(type(n), client.id, part)));
    },
    sendBadText: () => gateway.send(muxFrame(MUX.text, client.id, Buffer.of(0xff))),
    close: (code, reason) => client.close(code, reason),
    vanish: () => gateway.send(closeFrame(client.id, 1006)),
    pause: () => (client.readsOn = false),
    resume: () => client.readAll(),
  };
  await eventually(() => {
    if (backend.sockets.length === 0) throw new Error('no socket');
  });
  return { socket: backend.sockets[0]!, far, url: undefined };
});
