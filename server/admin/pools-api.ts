import { ConfigError } from '../config/faults.ts';
import { completeUpstreams } from '../config/load.ts';
import { ECHO } from '../config/upstream-url.ts';
import { answerJson, type Handler } from './http.ts';
import type { PoolsControl } from './pools-control.ts';
import { answerFault, queryOf, readOrRefuse, treeOf, wholeOf, type Faults } from './requests.ts';
import type { Endpoint } from './routes.ts';

const maxUpstreamsBytes = 4_194_304;
const maxPauseBytes = 1_024;
const maxPauseMs = 3_600_000;

/** `/api/pools` and `/api/upstreams`: what they do, and what operators do with them. */
export function poolEndpoints(pools: PoolsControl): Record<string, Endpoint> {
  return {
    '/api/pools': { GET: (_, response) => answerJson(response, 200, { pools: pools.reports() }) },
    '/api/pools/<name>': { GET: readPool(pools), PUT: onPool(pools, replaceUpstreams(pools)) },
    '/api/pools/<name>/pause': { POST: onPool(pools, pause(pools)) },
    '/api/pools/<name>/resume': { POST: onPool(pools, resume(pools)) },
    '/api/pools/<name>/reconnect': { POST: onPool(pools, reconnect(pools)) },
    '/api/upstreams': {
      GET: (_, response) => answerJson(response, 200, { upstreams: pools.upstreams() }),
    },
  };
}

function readPool(pools: PoolsControl): Handler {
  return (_, response, params) => {
    const report = pools.report(params['name']!);
    if (report === undefined) answerFault(response, 404, unknownPool(pools));
    else answerJson(response, 200, report);
  };
}

/** For what cannot be done to a pool that is not there, or that has no upstreams of its own. */
function onPool(pools: PoolsControl, handler: Handler): Handler {
  return (request, response, params) => {
    const report = pools.report(params['name']!);
    if (report === undefined) answerFault(response, 404, unknownPool(pools));
    else if (report.embedded) {
      answerFault(
        response,
        409,
        'the backend of this pool is embedded, and can only be changed by a restart',
      );
    } else return handler(request, response, params);
  };
}

function unknownPool(pools: PoolsControl): string {
  const names = pools.reports().map(({ name }) => name);
  return `there is no pool of this name; there are: ${names.join(', ')}`;
}

function pause(pools: PoolsControl): Handler {
  return async (request, response, params) => {
    const name = params['name']!;
    const body = await readOrRefuse(request, response, maxPauseBytes);
    if (body === undefined) return;
    const timeoutMs = timeoutOf(queryOf(request), body);
    if (typeof timeoutMs === 'object') return answerJson(response, 400, timeoutMs);
    const { quiet, report } = await pools.pause(name, timeoutMs);
    if (quiet) return answerJson(response, 200, report);
    if (!report.paused) {
      return answerJson(response, 409, { faults: ['the pool was resumed while this waited'], ...report });
    }
    const fault = `${report.inFlight} still in flight; the pool stays paused: pause again to go on waiting, or resume`;
    answerJson(response, 504, { faults: [fault], ...report });
  };
}

/** `timeoutMs` of the body, or of the query. */
function timeoutOf(query: URLSearchParams, body: Buffer): number | undefined | Faults {
  const tree = treeOf(body);
  if (tree === undefined || Object.keys(tree).some((key) => key !== 'timeoutMs')) {
    return { faults: ['the body is not empty, nor a JSON mapping with nothing but timeoutMs'] };
  }
  const given = tree['timeoutMs'] ?? query.get('timeoutMs') ?? undefined;
  if (given === undefined) return undefined;
  const text = typeof given === 'number' ? String(given) : given;
  const value = typeof text === 'string' ? wholeOf(text, 0, maxPauseMs) : undefined;
  return value ?? { faults: [`timeoutMs is not a whole number from 0 to ${maxPauseMs}`] };
}

function resume(pools: PoolsControl): Handler {
  return (_, response, params) => {
    const name = params['name']!;
    pools.resume(name);
    answerJson(response, 200, pools.report(name)!);
  };
}

function reconnect(pools: PoolsControl): Handler {
  return (_, response, params) => {
    const name = params['name']!;
    pools.reconnect(name);
    answerJson(response, 202, pools.report(name)!);
  };
}

function replaceUpstreams(pools: PoolsControl): Handler {
  return async (request, response, params) => {
    const name = params['name']!;
    const body = await readOrRefuse(request, response, maxUpstreamsBytes);
    if (body === undefined) return;
    const urls = upstreamsOf(name, body);
    if (isFaulty(urls)) return answerJson(response, 400, urls);
    const changes = pools.setUpstreams(name, urls);
    answerJson(response, 200, { ...changes, ...pools.report(name) });
  };
}

function upstreamsOf(name: string, body: Buffer): readonly string[] | Faults {
  const tree = treeOf(body);
  if (tree === undefined || Object.keys(tree).join() !== 'upstreams') {
    const fault =
      'the body is not a JSON mapping with nothing but the list upstreams; all else needs a restart';
    return { faults: [fault] };
  }
  let urls;
  try {
    urls = completeUpstreams(name, tree['upstreams']);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { faults: error.lines };
  }
  const toEmbedded = urls.includes(ECHO);
  return toEmbedded
    ? { faults: [`pools.${name}.upstreams: "${ECHO}" is embedded, which needs a restart`] }
    : urls;
}

function isFaulty(outcome: object): outcome is Faults {
  return 'faults' in outcome;
}
