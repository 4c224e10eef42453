const tokenKey = 'wsluice-token';

/** How a change went: what the gateway said of it when it went wrong. */
export interface Outcome {
  readonly ok: boolean;
  readonly faults: string;
}

/** The admin API as the page asks it: with the token, which lives as long as the tab. Addresses are relative, for a proxy may add a prefix. */
export class GatewayApi {
  #token = sessionStorage.getItem(tokenKey);

  get hasToken(): boolean {
    return this.#token !== null;
  }

  useToken(token: string): void {
    this.#token = token;
    sessionStorage.setItem(tokenKey, token);
  }

  forgetToken(): void {
    this.#token = null;
    sessionStorage.removeItem(tokenKey);
  }

  /** The answer to a GET. Rejects when the gateway cannot be reached. */
  get(path: string, signal?: AbortSignal): Promise<Response> {
    return this.#ask('GET', path, signal);
  }

  /** What a GET gives as JSON, undefined when it cannot be had. */
  async read(path: string): Promise<unknown> {
    try {
      const response = await this.get(path);
      return response.ok ? await response.json() : undefined;
    } catch {
      return undefined;
    }
  }

  /** POST, for what changes something. */
  async change(path: string): Promise<Outcome> {
    try {
      const response = await this.#ask('POST', path);
      return response.ok ? { ok: true, faults: '' } : { ok: false, faults: await faultsOf(response) };
    } catch {
      return { ok: false, faults: 'the gateway could not be reached' };
    }
  }

  #ask(method: string, path: string, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = {};
    if (this.#token !== null) headers['Authorization'] = `Bearer ${this.#token}`;
    return fetch(path, { method, headers, cache: 'no-store', redirect: 'error', signal: signal ?? null });
  }
}

/** What is wrong according to an answer: its `faults`, or its status. */
export async function faultsOf(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => null);
  const faults: unknown = typeof body === 'object' && body !== null && 'faults' in body ? body.faults : [];
  return Array.isArray(faults) && faults.length > 0
    ? faults.join('; ')
    : `the gateway answered with ${response.status}`;
}
