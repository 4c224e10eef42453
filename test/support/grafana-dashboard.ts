import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from './gateway.ts';

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr?: string }[] };
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string | { readonly query: string } }[];
  };
}

/** A query of the dashboard that is shipped, and where it stands. */
export interface DashboardQuery {
  readonly where: string;
  readonly expr: string;
}

/** Every query of every panel, annotation and variable, as Grafana asks it with everything chosen and rates over 5 seconds. */
export function dashboardQueries(): DashboardQuery[] {
  const text = readFileSync(join(CHECKOUT, 'metrics/grafana/wsluice.json'), 'utf8');
  const { panels, annotations, templating } = JSON.parse(text) as Dashboard;
  const all = [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: title, expr }))),
    ...annotations.list.flatMap(({ name, expr }) => (expr === undefined ? [] : [{ where: name, expr }])),
    ...templating.list.flatMap(({ name, query }) =>
      typeof query === 'string' ? [] : [{ where: `variable ${name}`, expr: seriesWithLabel(query.query) }],
    ),
  ];
  return all.map(({ where, expr }) => ({ where, expr: filled(expr) }));
}

/** What Grafana fills in for the variables. */
function filled(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '5s')
    .replaceAll('"$job"', '"wsluice"')
    .replaceAll(/"\$(instance|pool)"/g, '".*"');
}

/** `label_values(<series>, <label>)` is Grafana's own; this is PromQL for the same. */
function seriesWithLabel(query: string): string {
  const found = /^label_values\((.*), (\w+)\)$/.exec(query);
  if (found === null) throw new Error(`not a query of label values: ${query}`);
  return `count by (${found[2]}) (${found[1]})`;
}
