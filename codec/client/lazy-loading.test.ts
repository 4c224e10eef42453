import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { CodecWebSocket } from './codec-web-socket.ts';
import { startWireServer } from './wire-server.fixture.ts';

/** The WebAssembly packages that this process has loaded. */
function loadedPackages(): string[] {
  const files = Object.keys(createRequire(import.meta.url).cache);
  return ['zstd-wasm', 'brotli-wasm'].filter((name) => files.some((file) => file.includes(`/${name}/`)));
}

it('loads WebAssembly when its codec is asked for, and not before', async () => {
  const server = await startWireServer();
  for (const codec of [undefined, 'gzip', 'brotli'] as const) {
    await roundTrip(new CodecWebSocket(server.url, [], { codec }));
    expect(loadedPackages(), codec).toEqual([]);
  }
  await roundTrip(new CodecWebSocket(server.url, [], { codec: 'zstd' }));
  expect(loadedPackages()).toEqual(['zstd-wasm']);
});

function roundTrip(socket: CodecWebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.onopen = () => socket.send('x'.repeat(2_000));
    socket.onmessage = () => socket.close();
    socket.onerror = (event) => reject(new Error('the connection failed', { cause: event }));
    socket.onclose = () => resolve();
  });
}
