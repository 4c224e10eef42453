import { bytes, count, duration } from './figures.ts';
import type { ShownClient, ShownPool, ShownUpstream } from './live-shape.ts';
import type { Line, Span, Style } from './spans.ts';
import { table, type Column } from './table.ts';
import type { TopState } from './top-state.ts';

/** A name may be cut to that. */
const leastName = 16;
/** What tells upstreams apart stands at their end. */
const leastUpstream = 34;

/** A row for each pool. */
export function poolTable(state: TopState, width: number): Line[] {
  const columns: Column<ShownPool>[] = [
    { title: 'POOL', align: 'left', least: leastName, cell: ({ name }) => ({ text: name }) },
    { title: 'MODE', align: 'left', dropAs: 3, cell: ({ mode }) => ({ text: mode }) },
    { title: 'STATE', align: 'left', cell: poolState },
    figure('CLIENTS', ({ clients }) => count(clients), 4),
    figure('CONNS', ({ connections, maxConnections, embedded }) =>
      embedded ? '-' : `${count(openOf(connections))}/${count(maxConnections)}`,
    ),
    figure('BUSY', ({ connections }) => count(connections.busy), 6),
    figure('IN FLIGHT', ({ inFlight }) => count(inFlight)),
    figure('WAITING', ({ waiting }) => count(waiting), 2),
    figure('REQ/S', (pool) => requestRate(state, pool, ({ totals }) => totals.accepted), 1),
    figure('ERR/S', (pool) => requestRate(state, pool, ({ totals }) => totals.errored), 5),
  ];
  return table(columns, state.latest?.pools ?? [], width);
}

/** An upstream, and the pool that it is of. */
interface PoolUpstream extends ShownUpstream {
  readonly pool: string;
}

/** A row for each upstream, those first that are not well. */
export function upstreamTable(state: TopState, width: number): Line[] {
  const pools = state.latest?.pools ?? [];
  const rows = pools.flatMap(({ name, upstreams }) =>
    upstreams.map((upstream) => ({ ...upstream, pool: name })),
  );
  if (rows.length === 0) return [];
  const columns: Column<PoolUpstream>[] = [
    { title: 'UPSTREAM', align: 'left', least: leastUpstream, cell: ({ upstream }) => ({ text: upstream }) },
    { title: 'POOL', align: 'left', dropAs: pools.length > 1 ? 3 : 6, cell: ({ pool }) => ({ text: pool }) },
    { title: 'STATE', align: 'left', cell: ({ state: text }) => ({ text, style: upstreamStyle(text) }) },
    figure('FOR', ({ stateAgeMs }) => duration(stateAgeMs), 2),
    figure('CONNS', ({ connections }) => count(connections)),
    figure('IN FLIGHT', ({ inFlight }) => count(inFlight)),
    {
      title: 'BREAKER',
      align: 'left',
      dropAs: 7,
      cell: ({ breaker }) => ({ text: breaker, style: breaker === 'closed' ? 'dim' : 'bad' }),
    },
    {
      title: 'LAST FAILURE',
      align: 'left',
      dropAs: 4,
      least: 20,
      cell: ({ lastFailure }) => failure(lastFailure),
    },
  ];
  return table(
    columns,
    rows.toSorted((a, b) => troubleOf(b) - troubleOf(a)),
    width,
  );
}

/** A row for each of the clients that do most. */
export function clientTable(state: TopState, width: number): Line[] {
  const rows = state.clients?.clients ?? [];
  if (rows.length === 0) return [];
  const marked = (title: string, sort: TopState['sort']): string =>
    state.sort === sort ? `*${title}` : title;
  const columns: Column<ShownClient>[] = [
    {
      title: 'CLIENT',
      align: 'left',
      least: leastName,
      cell: ({ id, address }) => ({ text: `${id} ${address}` }),
    },
    { title: 'POOL', align: 'left', dropAs: 3, cell: ({ pool }) => ({ text: pool }) },
    figure('MSG/S', (client) => count(state.clientRate(client)), 1),
    figure(marked('MESSAGES', 'messages'), ({ messages }) => count(messages.received + messages.sent)),
    figure(marked('BYTES', 'bytes'), ({ bytes: { received, sent } }) => bytes(received + sent)),
    figure(marked('IN FLIGHT', 'inFlight'), ({ inFlight }) => count(inFlight), 2),
    figure('SINCE', ({ connectedAt }) => duration((state.latest?.at ?? NaN) - Date.parse(connectedAt)), 4),
  ];
  return table(columns, rows, width);
}

function figure<Row>(title: string, textOf: (row: Row) => string, dropAs?: number): Column<Row> {
  const cell = (row: Row): Span => ({ text: textOf(row) });
  return dropAs === undefined ? { title, align: 'right', cell } : { title, align: 'right', dropAs, cell };
}

function openOf({ dialing, idle, busy, draining }: ShownPool['connections']): number {
  return dialing + idle + busy + draining;
}

/** Only request mode looks into messages, and knows of requests. */
function requestRate(state: TopState, pool: ShownPool, totalOf: (pool: ShownPool) => number): string {
  return pool.mode === 'request' ? count(state.poolRate(pool, totalOf)) : '-';
}

function poolState({ paused, healthy, embedded }: ShownPool): Span {
  if (paused) return { text: 'paused', style: 'warn' };
  if (!healthy) return { text: 'down', style: 'bad' };
  return { text: embedded ? 'embedded' : 'ok', style: 'good' };
}

const styles: Readonly<Record<string, Style>> = {
  up: 'good',
  untried: 'dim',
  removed: 'dim',
  paused: 'warn',
};

function upstreamStyle(state: string): Style {
  return (Object.hasOwn(styles, state) ? styles[state] : undefined) ?? 'bad';
}

function troubleOf({ state }: ShownUpstream): number {
  return upstreamStyle(state) === 'bad' ? 1 : 0;
}

function failure(lastFailure: ShownUpstream['lastFailure']): Span {
  if (lastFailure === null) return { text: '-', style: 'dim' };
  const { kind, detail, agoMs } = lastFailure;
  return { text: `${duration(agoMs)} ago: ${detail === '' ? kind : detail}`, style: 'dim' };
}
