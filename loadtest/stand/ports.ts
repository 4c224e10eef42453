import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Returns a loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves when something accepts connections on the port, or the wait is over; the caller bounds it. */
export async function portOpen(port: number, over: AbortSignal): Promise<void> {
  while (!over.aborted && !(await accepts(port))) await sleep(20);
}

/** Resolves when the URL answers 200, or the wait is over; the caller bounds it. */
export async function answersOk(url: string, over: AbortSignal): Promise<void> {
  while (
    !over.aborted &&
    !(await fetch(url).then(
      (response) => response.ok,
      () => false,
    ))
  )
    await sleep(20);
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
