/** Which way bytes go through a fault proxy. */
export type Direction = 'to the backend' | 'to the gateway';

/** So many of the bytes that wait, passed on after so many milliseconds. */
export interface Piece {
  readonly bytes: number;
  readonly afterMs: number;
}

/** What goes wrong on the way, while it lasts. It keeps no state: one may be imposed on several proxies. */
export interface Fault {
  readonly name: (typeof faultNames)[number];
  /** What it does, in words and numbers. */
  readonly description: string;
  readonly directions: readonly Direction[];
  /** How the next of so many bytes are passed on; undefined: not at all while it lasts. */
  readonly next: (bytes: number) => Piece | undefined;
  /** What it does, once, to the connections that there are when it begins. */
  readonly blow?: 'reset' | 'half-close';
}

export const faultNames = ['delay', 'throttle', 'chop', 'reset', 'black hole', 'half-close'] as const;

const bothWays: readonly Direction[] = ['to the backend', 'to the gateway'];
const throttleStepMs = 20;
/** So many bytes are passed on one by one; of more, a part of that. */
const singleBytes = 16;

const atOnce = (bytes: number): Piece => ({ bytes, afterMs: 0 });

/** Everything comes later, in its order. */
export function delay(afterMs: number, directions = bothWays): Fault {
  return {
    name: 'delay',
    description: `delays by ${afterMs} ms, ${ways(directions)}`,
    directions,
    next: (bytes) => ({ bytes, afterMs }),
  };
}

/** No more than so many bytes a second, and the sender is made to wait. */
export function throttle(bytesPerSecond: number, directions = bothWays): Fault {
  const step = Math.max(1, Math.floor((bytesPerSecond * throttleStepMs) / 1_000));
  return {
    name: 'throttle',
    description: `passes ${bytesPerSecond} bytes a second, ${ways(directions)}`,
    directions,
    next: (bytes) => ({ bytes: Math.min(bytes, step), afterMs: throttleStepMs }),
  };
}

/** Small pieces, each in a packet of its own, and single bytes where little is left: it is cut everywhere, and does not take forever. */
export function chop(directions = bothWays): Fault {
  return {
    name: 'chop',
    description: `chops into single bytes, or small pieces of what is large, ${ways(directions)}`,
    directions,
    next: (bytes) => atOnce(Math.ceil(bytes / singleBytes)),
  };
}

/** Both ends of every connection get a RST. New ones pass. */
export function reset(): Fault {
  return {
    name: 'reset',
    description: 'resets every connection',
    directions: bothWays,
    next: atOnce,
    blow: 'reset',
  };
}

/** Connections are accepted and stay open, and nothing passes; what was held comes late when it ends. */
export function blackHole(directions = bothWays): Fault {
  return {
    name: 'black hole',
    description: `swallows everything, ${ways(directions)}`,
    directions,
    next: () => undefined,
  };
}

/** Ends every connection in that direction, in the middle of whatever was being said; the other direction stays open. */
export function halfClose(direction: Direction): Fault {
  return {
    name: 'half-close',
    description: `half-closes every connection, ${direction}`,
    directions: [direction],
    next: atOnce,
    blow: 'half-close',
  };
}

function ways(directions: readonly Direction[]): string {
  return directions.length === 2 ? 'both ways' : directions.join();
}
