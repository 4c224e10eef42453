/** What the wheel pings; the first three fields are the wheel's own, but for the owner's right to clear `pingSentAtMs`. */
export interface HeartbeatPeer {
  /** -1 while not on a wheel. */
  heartbeatSlot: number;
  heartbeatIndex: number;
  /** 0 while no ping is unanswered; the owner may set it to 0 on whatever comes from the peer. */
  pingSentAtMs: number;
  sendPing(): void;
  /** No answer came in time; the peer is off the wheel already. */
  onHeartbeatLost(): void;
}

export interface HeartbeatOptions {
  /** How often each peer is pinged; 0 turns heartbeats off. */
  readonly intervalMs: number;
  /** How long an answer may take. */
  readonly timeoutMs: number;
  readonly now: () => number;
  /** Called with the round-trip time of each answered ping. */
  readonly onRtt: (ms: number) => void;
}

const MIN_TICK_MS = 10;
const MAX_TICK_MS = 500;
/** A wheel that is behind turns at most this many slots a tick, so that a blocked event loop makes no burst of pings. */
const MAX_SLOTS_PER_TICK = 2;
/** A slot with this many more peers than another is a crowd. */
const CROWD = 4;

/**
 * Pings every peer once per interval from one timer, and reports those that do not answer: at the latest one
 * interval, one timeout and two ticks after they fell silent. Peers may join and leave at any time, also from
 * within their own callbacks.
 */
export class HeartbeatWheel {
  /** How often `tick` should be called. */
  readonly tickMs: number;
  readonly #options: HeartbeatOptions;
  readonly #slots: HeartbeatPeer[][];
  /** The slots whose pings may be unanswered, oldest first. */
  readonly #pinged: { readonly slot: HeartbeatPeer[]; readonly atMs: number }[] = [];
  /** The slot pinged last: a peer that joins it is pinged one interval from now. */
  #current = 0;
  #alternative = 0;
  #lastTickMs: number;
  #dueMs = 0;
  #size = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HeartbeatOptions) {
    const { intervalMs, timeoutMs, now } = options;
    const wishedMs = Math.min(Math.max(Math.min(intervalMs, timeoutMs) / 10, MIN_TICK_MS), MAX_TICK_MS);
    const slotCount = Math.ceil(intervalMs / wishedMs);
    this.tickMs = slotCount > 0 ? intervalMs / slotCount : MAX_TICK_MS;
    this.#options = options;
    this.#slots = Array.from({ length: slotCount }, () => []);
    this.#lastTickMs = now();
  }

  /** How many peers are on the wheel. */
  get size(): number {
    return this.#size;
  }

  /**
   * Puts a peer on the wheel; its first ping goes out one interval from now, or sooner where many join at once.
   * Throws when it is on the wheel already.
   */
  add(peer: HeartbeatPeer): void {
    if (peer.heartbeatSlot !== -1) throw new Error('bug: a peer joined the heartbeat wheel twice');
    if (this.#slots.length === 0) return;
    const index = this.#slotForNext();
    const slot = this.#slots[index]!;
    peer.heartbeatSlot = index;
    peer.heartbeatIndex = slot.length;
    peer.pingSentAtMs = 0;
    slot.push(peer);
    this.#size++;
  }

  /** Takes a peer off the wheel; nothing happens when it is not on it. */
  remove(peer: HeartbeatPeer): void {
    if (peer.heartbeatSlot === -1) return;
    const slot = this.#slots[peer.heartbeatSlot]!;
    const last = slot.pop()!;
    if (last !== peer) {
      slot[peer.heartbeatIndex] = last;
      last.heartbeatIndex = peer.heartbeatIndex;
    }
    peer.heartbeatSlot = -1;
    peer.pingSentAtMs = 0;
    this.#size--;
  }

  /** To be called for each pong: reports the round-trip time when a ping was unanswered. */
  pong(peer: HeartbeatPeer): void {
    if (peer.pingSentAtMs === 0) return;
    const rttMs = this.#options.now() - peer.pingSentAtMs;
    peer.pingSentAtMs = 0;
    this.#options.onRtt(rttMs);
  }

  /** Reports who did not answer in time, then pings who is due. */
  tick(): void {
    const nowMs = this.#options.now();
    const elapsedMs = nowMs - this.#lastTickMs;
    // After a late tick answers may still wait in the sockets: only who was overdue by the tick before has had its chance.
    const late = elapsedMs > 2 * this.tickMs;
    this.#reportLost(late ? this.#lastTickMs : nowMs);
    this.#pingDue(nowMs, elapsedMs);
    this.#lastTickMs = nowMs;
  }

  start(): void {
    if (this.#slots.length === 0) return;
    this.#lastTickMs = this.#options.now();
    this.#timer ??= setInterval(() => this.tick(), this.tickMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The slot pinged last; while that is crowded, every other in turn, so that 10,000 at once spread over the interval. */
  #slotForNext(): number {
    this.#alternative = (this.#alternative + 1) % this.#slots.length;
    const peers = this.#slots[this.#current]!.length;
    return peers < this.#slots[this.#alternative]!.length + CROWD ? this.#current : this.#alternative;
  }

  #pingDue(nowMs: number, elapsedMs: number): void {
    this.#dueMs = Math.min(this.#dueMs + elapsedMs, this.#options.intervalMs);
    // Half a tick early counts as on time: timers are never exact.
    for (let n = 0; n < MAX_SLOTS_PER_TICK && this.#dueMs >= this.tickMs / 2; n++) {
      this.#dueMs -= this.tickMs;
      this.#current = (this.#current + 1) % this.#slots.length;
      const slot = this.#slots[this.#current]!;
      this.#pinged.push({ slot, atMs: nowMs });
      forEachPeer(slot, (peer) => {
        if (peer.pingSentAtMs !== 0) return;
        peer.pingSentAtMs = nowMs;
        peer.sendPing();
      });
    }
  }

  #reportLost(judgedAtMs: number): void {
    const sentByMs = judgedAtMs - this.#options.timeoutMs;
    while (this.#pinged.length > 0 && this.#pinged[0]!.atMs <= sentByMs) {
      forEachPeer(this.#pinged.shift()!.slot, (peer) => {
        if (peer.pingSentAtMs === 0 || peer.pingSentAtMs > sentByMs) return;
        this.remove(peer);
        peer.onHeartbeatLost();
      });
    }
  }
}

/** Visits every peer of a slot; from the end, because a removed peer's place is taken by the last one. */
function forEachPeer(slot: readonly HeartbeatPeer[], visit: (peer: HeartbeatPeer) => void): void {
  for (let index = slot.length - 1; index >= 0; index--) {
    const peer = slot[index];
    if (peer) visit(peer);
  }
}
