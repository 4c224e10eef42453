import { reject, type Rejection } from './handshake.ts';

export interface AdmissionOptions {
  readonly maxConnections: number;
  /** 0 means no cap. */
  readonly maxConnectionsPerIp: number;
}

/** Counts clients, in all and by address, and says when there are enough. */
export class Admission {
  readonly #maxConnections: number;
  readonly #maxPerIp: number;
  /** As many entries as there are clients, at most. */
  readonly #byAddress = new Map<string, number>();
  #total = 0;

  constructor({ maxConnections, maxConnectionsPerIp }: AdmissionOptions) {
    this.#maxConnections = maxConnections;
    this.#maxPerIp = maxConnectionsPerIp;
  }

  get total(): number {
    return this.#total;
  }

  /** Counts a client in, or says why not. Each one counted in is counted out by `leave`. */
  enter(addressKey: string): Rejection | undefined {
    if (this.#total >= this.#maxConnections) {
      return reject('total-cap', 503, 'too many connections: try again later', [['Retry-After', '5']]);
    }
    const fromAddress = this.#byAddress.get(addressKey) ?? 0;
    if (this.#maxPerIp > 0 && fromAddress >= this.#maxPerIp) {
      return reject('per-ip-cap', 429, 'too many connections from your address', [['Retry-After', '5']]);
    }
    this.#total++;
    if (this.#maxPerIp > 0) this.#byAddress.set(addressKey, fromAddress + 1);
    return undefined;
  }

  leave(addressKey: string): void {
    if (this.#total === 0) throw new Error('bug: more clients left than came');
    this.#total--;
    const fromAddress = this.#byAddress.get(addressKey);
    if (fromAddress === undefined) return;
    if (fromAddress === 1) this.#byAddress.delete(addressKey);
    else this.#byAddress.set(addressKey, fromAddress - 1);
  }
}
