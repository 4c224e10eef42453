import type { Handler } from './http.ts';

/** The methods that something may stand under; HEAD comes with GET. */
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

const methods: readonly Method[] = ['GET', 'POST', 'PUT', 'DELETE'];

/** What stands at one path. */
export interface Endpoint extends Readonly<Partial<Record<Method, Handler>>> {
  /** Needs no token. */
  readonly open?: boolean;
  /** Answers those who read it without the token, with 401, in place of a line of text. */
  readonly withoutToken?: Handler;
}

/** An endpoint, and what the path has in place of the names in angle brackets. */
export interface Found {
  readonly endpoint: Endpoint;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Endpoints by path. A segment in angle brackets, as in `/api/pools/<name>`, stands for any one segment that is not empty;
 * nothing is decoded, and the first path that fits is taken.
 */
export class Routes {
  readonly paths: readonly string[];
  readonly #routes: readonly { readonly segments: readonly string[]; readonly endpoint: Endpoint }[];

  constructor(endpoints: Readonly<Record<string, Endpoint>>) {
    this.paths = Object.keys(endpoints);
    this.#routes = Object.entries(endpoints).map(([path, endpoint]) => ({
      segments: path.split('/'),
      endpoint,
    }));
  }

  find(path: string): Found | undefined {
    const segments = path.split('/');
    for (const { segments: pattern, endpoint } of this.#routes) {
      const params = match(pattern, segments);
      if (params !== undefined) return { endpoint, params };
    }
    return undefined;
  }
}

/** What an `Allow` header says of an endpoint; of none, what could be asked of any. */
export function allowedMethods(endpoint: Endpoint | undefined): readonly string[] {
  if (endpoint === undefined) return ['GET', 'HEAD'];
  const known = methods.filter((method) => endpoint[method] !== undefined);
  return known.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}

/** The handler for a request method, which may be any word. */
export function handlerOf(endpoint: Endpoint | undefined, method: string | undefined): Handler | undefined {
  const known = methods.find((name) => name === (method === 'HEAD' ? 'GET' : method));
  return known === undefined ? undefined : endpoint?.[known];
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const given = segments[index]!;
    const name = /^<(.+)>$/.exec(expected)?.[1];
    if (name === undefined ? given !== expected : given === '') return undefined;
    if (name !== undefined) params[name] = given;
  }
  return params;
}
