import { isIP } from 'node:net';
import type { Member } from './balancers/balancer.ts';
import { Breaker, BreakerState, type BreakerOptions } from './health/breaker.ts';
import { Condition, type UpstreamState } from './health/condition.ts';
import { Latency } from './health/latency.ts';
import { SlowStart } from './health/slow-start.ts';
import { Standing } from './health/standing.ts';
import { UpstreamTroubles } from './health/troubles.ts';

export interface EndpointOptions {
  readonly url: string;
  /** Frames to it need no masking key even when it is not on this machine. */
  readonly trusted: boolean;
  /** Without it the breaker never opens. */
  readonly breaker?: BreakerOptions;
  /** How long a slow start takes. */
  readonly slowStartMs?: number;
}

const timeoutWeight = 10;
const neverOpens: BreakerOptions = { failureThreshold: Infinity, successThreshold: 1, resetTimeoutMs: 0 };

/** Where an upstream listens, how its dials have gone lately, and how it has fared since. */
export class Endpoint implements Member {
  readonly url: string;
  readonly secure: boolean;
  /** Path of a unix socket, or undefined for TCP. */
  readonly socketPath: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Value of the Host header. */
  readonly authority: string;
  /** Request target: path and query. */
  readonly path: string;
  /** `Basic …` from the URL's userinfo. */
  readonly authorization: string | undefined;
  readonly trusted: boolean;
  /** The URL without userinfo and query, fit for logs and labels. */
  readonly label: string;
  /** Whether it may be used at all. */
  readonly breaker: Breaker;
  /** How it compares with its peers. */
  readonly standing = new Standing();
  /** How much of its capacity it gets. */
  readonly slowStart: SlowStart;
  readonly latency = new Latency();
  /** Since when it is as it is, and what went wrong last. */
  readonly condition = new Condition();
  /** What the log has said of it, and is yet to say. */
  readonly troubles = new UpstreamTroubles();
  /** Connections to it, dialling ones included. */
  connections = 0;
  /** Dials failed in a row; 0 after a success. */
  failures = 0;
  /** When a connection to it was opened last. */
  openedAtMs = 0;
  /** Dials begun so far, and how many of them had begun when one failed last. */
  dials = 0;
  dialsOfFailure = 0;
  /** A connection was opened after the last one was lost. */
  openedSinceLoss = false;
  /** Connections lost in a row soon after they were opened. */
  losses = 0;
  /** No background dial before this time. */
  retryAtMs = 0;
  /** When it was asked the first of what it has answered nothing since; Infinity when there is no such thing. */
  silentSinceMs = Infinity;
  /** It was taken out of its pool: nothing new goes there. */
  removed = false;
  /** When it answered anything last. */
  #answeredAtMs = -Infinity;

  constructor({ url, trusted, breaker = neverOpens, slowStartMs = 1 }: EndpointOptions) {
    this.breaker = new Breaker(breaker);
    this.slowStart = new SlowStart({ durationMs: slowStartMs });
    const unix = /^ws\+unix:(?:\/\/)?([^:]+)(?::(.*))?$/.exec(url);
    const parsed = new URL(unix ? `ws://localhost${unix[2] ?? '/'}` : url);
    this.url = url;
    this.secure = parsed.protocol === 'wss:';
    this.socketPath = unix?.[1];
    this.host = parsed.hostname.replace(/^\[|\]$/g, '');
    this.port = Number(parsed.port) || (this.secure ? 443 : 80);
    this.authority = parsed.host;
    this.path = parsed.pathname + parsed.search;
    this.authorization = basicAuthorization(parsed);
    this.trusted = trusted || this.socketPath !== undefined || isLoopback(this.host);
    this.label = unix ? `ws+unix:${unix[1]}` : `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  }

  /** Its connections; while it starts slowly it seems to have more. */
  get load(): number {
    const { active, share } = this.slowStart;
    return active ? (this.connections + 1) / share - 1 : this.connections;
  }

  get latencyMs(): number {
    return this.latency.ms;
  }

  /** False while its last dial failed, and while it is not to have clients; the balancer then prefers others. */
  get available(): boolean {
    return this.failures === 0 && this.admits;
  }

  /** Whether its connections may take something new. */
  get admits(): boolean {
    return this.breaker.admits && !this.standing.ejected;
  }

  /** The earliest time at which it may be dialled in the background. */
  get dialAtMs(): number {
    return Math.max(this.retryAtMs, this.breaker.retryAtMs);
  }

  /** How it is now. */
  get state(): UpstreamState {
    if (this.removed) return 'removed';
    if (this.breaker.state === BreakerState.open) return 'breaker-open';
    if (this.breaker.state === BreakerState.halfOpen) return 'half-open';
    if (this.standing.ejected) return 'ejected';
    if (this.failures > 0) return 'down';
    return this.openedAtMs === 0 ? 'untried' : 'up';
  }

  /** Something is sent that will be answered. */
  asked(nowMs: number): void {
    this.breaker.began(nowMs);
    this.latency.asked();
    if (this.silentSinceMs === Infinity) this.silentSinceMs = nowMs;
    if (this.slowStart.active) this.slowStart.asked();
  }

  /** Something sent then was answered; `faulty` when the answer shows that the server is not well. */
  answered(sentAtMs: number, nowMs: number, faulty: boolean): void {
    this.#answeredAtMs = nowMs;
    this.breaker.succeeded(sentAtMs, nowMs);
    this.latency.observe(nowMs - sentAtMs, nowMs);
    this.silentSinceMs = Infinity;
    if (this.slowStart.careful) this.slowStart.answered();
    if (!faulty) return this.standing.succeeded();
    this.condition.failed(nowMs, 'faulty');
    this.standing.failed(nowMs);
  }

  /** Something sent then has waited too long for its answer. */
  timedOut(sentAtMs: number, nowMs: number): void {
    // It might have taken ten times as long, and has cost more than time.
    this.latency.observe(timeoutWeight * (nowMs - sentAtMs), nowMs);
    this.condition.failed(nowMs, 'silent');
    // One that has answered others since is well: a client that asks what nobody answers must not take it from all.
    if (this.#answeredAtMs > sentAtMs && this.breaker.state === BreakerState.closed) return;
    this.breaker.failed(sentAtMs, nowMs);
    this.standing.failed(nowMs);
  }

  /** A connection to it was lost. */
  lost(nowMs: number): void {
    this.silentSinceMs = Infinity;
    this.condition.failed(nowMs, 'lost');
    this.breaker.lost(nowMs);
    this.standing.failed(nowMs);
  }

  /** An operator says that it is well: it is dialled at once, and what went wrong before counts no more. */
  forgive(nowMs: number): void {
    this.failures = 0;
    this.losses = 0;
    this.retryAtMs = 0;
    this.silentSinceMs = Infinity;
    this.breaker.reset(nowMs);
    if (this.standing.ejected) this.standing.readmit(nowMs, 0);
  }

  /** Whether a dial may begin now. */
  mayDial(nowMs: number): boolean {
    this.breaker.tick(nowMs);
    return this.retryAtMs <= nowMs && this.breaker.admits;
  }

  /** Name for TLS server name indication; undefined for an IP address, which TLS does not allow there. */
  get serverName(): string | undefined {
    return isIP(this.host) === 0 ? this.host : undefined;
  }
}

function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
