import { codecsRow } from './codecs-row.ts';
import { limitsRow } from './limits-row.ts';
import { overviewRow } from './overview-row.ts';
import type { Panel } from './panels.ts';
import { poolRow } from './pool-row.ts';
import { of } from './queries.ts';
import { runtimeRow } from './runtime-row.ts';

const COLUMNS = 24;
const datasource = { type: 'prometheus', uid: '${datasource}' };
/** What every link to the runbook begins with; the README says how to change it. */
const runbook = 'docs/troubleshooting.md';

const rows: Readonly<Record<string, readonly Panel[]>> = {
  Overview: overviewRow,
  Pools: poolRow,
  Limits: limitsRow,
  Codecs: codecsRow,
  Runtime: runtimeRow,
};

/** metrics/grafana/wsluice.json, in the JSON model of Grafana's dashboards (schema 42, Grafana 12 and 13). */
export function dashboardJson(): string {
  return `${JSON.stringify(dashboard(), null, 2)}\n`;
}

function dashboard(): object {
  return {
    id: null,
    uid: 'wsluice',
    title: 'wsluice',
    description: 'WebSocket gateway: clients, pools, rate limits, codecs and the process.',
    tags: ['wsluice', 'websocket'],
    editable: true,
    graphTooltip: 1,
    schemaVersion: 42,
    version: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timepicker: {},
    timezone: 'browser',
    weekStart: '',
    fiscalYearStartMonth: 0,
    liveNow: false,
    preload: false,
    links: [link('Runbook', '${runbook}')],
    templating: { list: variables },
    annotations: { list: annotations },
    panels: laidOut(),
  };
}

const variables = [
  {
    ...{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', hide: 0 },
    ...{
      current: { text: 'default', value: 'default' },
      includeAll: false,
      multi: false,
      options: [],
      refresh: 1,
      regex: '',
      skipUrlSync: false,
    },
  },
  // Not every job there is: others have processes too.
  choice('job', 'Job', 'label_values(wsluice_build_info, job)', {}),
  choice('instance', 'Gateway', 'label_values(wsluice_build_info{job=~"$job"}, instance)'),
  choice('pool', 'Pool', `label_values(${of('wsluice_pool_waiting')}, pool)`),
  {
    ...{ name: 'runbook', label: 'Runbook', type: 'constant', query: runbook, hide: 2, skipUrlSync: true },
    description: 'The address of docs/troubleshooting.md.',
    current: { selected: false, text: runbook, value: runbook },
  },
];

/** A variable of which one, several or all values may be chosen: of all, or of all that the query finds. */
function choice(name: string, label: string, query: string, all: object = { allValue: '.*' }): object {
  return {
    ...{ name, label, type: 'query', hide: 0, includeAll: true, ...all, multi: true },
    ...{ datasource, query: { query, refId: name }, refresh: 2, regex: '', sort: 1 },
    ...{ current: { selected: true, text: ['All'], value: ['$__all'] }, options: [], skipUrlSync: false },
  };
}

const annotations = [
  {
    ...{ builtIn: 1, name: 'Annotations & Alerts', type: 'dashboard', enable: true, hide: true },
    ...{ datasource: { type: 'grafana', uid: '-- Grafana --' }, iconColor: 'rgba(0, 211, 255, 1)' },
  },
  // The value is the time of the start, wherever in the window it is read.
  {
    ...{ name: 'Restarts', datasource, enable: true, hide: false, iconColor: 'blue' },
    ...{ expr: `${of('process_start_time_seconds')} * 1000`, useValueForTime: true, step: '60s' },
    ...{ titleFormat: 'Start of {{instance}}', tagKeys: 'instance', textFormat: '' },
  },
  {
    ...{ name: 'Alerts', datasource, enable: true, hide: false, iconColor: 'red' },
    expr: 'ALERTS{alertname=~"Wsluice.*", alertstate="firing", instance=~"$instance"}',
    ...{
      step: '60s',
      titleFormat: '{{alertname}}',
      textFormat: '{{instance}} {{pool}}',
      tagKeys: 'severity',
    },
  },
];

/** Each row under its title; within a row the panels stand side by side as long as there is room. */
function laidOut(): object[] {
  const placed: object[] = [];
  let y = 0;
  for (const [title, panels] of Object.entries(rows)) {
    const row = { type: 'row', title, collapsed: false, panels: [] };
    placed.push({ id: placed.length + 1, ...row, gridPos: { x: 0, y, w: COLUMNS, h: 1 } });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of panels) {
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += height;
        height = 0;
      }
      const gridPos = { x, y, w: panel.width, h: panel.height };
      placed.push({ id: placed.length + 1, ...panelJson(panel), gridPos });
      x += panel.width;
      height = Math.max(height, panel.height);
    }
    y += height;
  }
  return placed;
}

function panelJson({ type, title, description, ...panel }: Panel): object {
  return {
    ...{ type, title, description, datasource },
    targets: panel.queries.map(({ expr, legend }, index) => ({
      ...{ refId: String.fromCharCode(65 + index), datasource, editorMode: 'code', expr },
      ...{ legendFormat: legend, format: panel.format ?? 'time_series' },
      ...{ instant: panel.instant === true, range: panel.instant !== true },
    })),
    fieldConfig: panel.fieldConfig,
    options: panel.options,
    ...(panel.transformations === undefined ? {} : { transformations: panel.transformations }),
    links: panel.runbook === undefined ? [] : [link('Runbook', `\${runbook}#${panel.runbook}`)],
  };
}

function link(title: string, url: string): object {
  return {
    ...{ title, url, type: 'link', icon: 'doc', tooltip: 'What to look at and what to do', tags: [] },
    ...{ asDropdown: false, includeVars: false, keepTime: false, targetBlank: true },
  };
}
