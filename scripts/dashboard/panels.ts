/** What is asked of Prometheus, and how each series that comes back is called. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** A colour from this value on; the first step has none. */
export type Step = readonly [from: number | null, color: string];

/** A panel but for its place. */
export interface Panel {
  readonly type: 'stat' | 'timeseries' | 'heatmap' | 'state-timeline' | 'table';
  readonly title: string;
  readonly description: string;
  /** Of the 24 columns. */
  readonly width: number;
  readonly height: number;
  /** A section of the runbook. */
  readonly runbook?: string;
  readonly queries: readonly Query[];
  readonly fieldConfig: object;
  readonly options: object;
  /** Of one point in time alone. */
  readonly instant?: boolean;
  readonly format?: 'time_series' | 'heatmap' | 'table';
  readonly transformations?: readonly object[];
}

/** What every kind of panel takes. */
interface Face {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly runbook?: string;
  readonly width?: number;
  readonly height?: number;
}

const green: Step = [null, 'green'];

/** Steps from green to orange and red; without them everything is green. */
export function steps(orange?: number, red?: number): Step[] {
  const orangeStep: Step[] = orange === undefined ? [] : [[orange, 'orange']];
  return [green, ...orangeStep, ...(red === undefined ? [] : ([[red, 'red']] satisfies Step[]))];
}

function thresholds(of: readonly Step[]): object {
  return { mode: 'absolute', steps: of.map(([value, color]) => ({ color, value })) };
}

/** One figure, and its course behind it. */
export function stat(
  { title, description, unit, runbook, width = 3, height = 4 }: Face,
  expr: string,
  colors: readonly Step[] = steps(),
): Panel {
  return {
    ...{ type: 'stat', title, description, width, height },
    ...(runbook === undefined ? {} : { runbook }),
    queries: [{ expr, legend: title }],
    fieldConfig: {
      defaults: { color: { mode: 'thresholds' }, unit, mappings: [], thresholds: thresholds(colors) },
      overrides: [],
    },
    options: {
      colorMode: 'value',
      graphMode: 'area',
      justifyMode: 'auto',
      orientation: 'auto',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      showPercentChange: false,
      textMode: 'value',
      wideLayout: true,
    },
  };
}

/** How lines are drawn. */
interface LineStyle {
  /** Drawn as a dashed line: above it somebody is told. */
  readonly limit?: number;
  readonly stacked?: boolean;
  /** The top of the axis. */
  readonly max?: number;
  readonly decimals?: number;
}

/** Lines over time, with a legend that tells the last and the highest value of each. */
export function lines(
  { title, description, unit, runbook, width = 12, height = 8 }: Face,
  queries: readonly Query[],
  { limit, stacked = false, max, decimals }: LineStyle = {},
): Panel {
  return {
    ...{ type: 'timeseries', title, description, width, height, queries },
    ...(runbook === undefined ? {} : { runbook }),
    fieldConfig: {
      defaults: {
        color: { mode: 'palette-classic' },
        unit,
        min: 0,
        ...(max === undefined ? {} : { max }),
        ...(decimals === undefined ? {} : { decimals }),
        mappings: [],
        thresholds: thresholds(limit === undefined ? steps() : [green, [limit, 'red']]),
        custom: {
          drawStyle: 'line',
          lineInterpolation: 'linear',
          lineWidth: 1,
          fillOpacity: stacked ? 30 : 8,
          gradientMode: 'none',
          showPoints: 'auto',
          pointSize: 4,
          spanNulls: false,
          stacking: { group: 'A', mode: stacked ? 'normal' : 'none' },
          thresholdsStyle: { mode: limit === undefined ? 'off' : 'dashed' },
        },
      },
      overrides: [],
    },
    options: {
      legend: { calcs: ['lastNotNull', 'max'], displayMode: 'table', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
}

/** How a histogram of seconds is spread, over time. */
export function heatmap(
  { title, description, unit, runbook, width = 12, height = 8 }: Face,
  expr: string,
): Panel {
  return {
    ...{ type: 'heatmap', title, description, width, height, format: 'heatmap' },
    ...(runbook === undefined ? {} : { runbook }),
    queries: [{ expr, legend: '{{le}}' }],
    fieldConfig: { defaults: { custom: { scaleDistribution: { type: 'linear' } } }, overrides: [] },
    options: {
      calculate: false,
      cellGap: 1,
      cellValues: { unit: 'reqps' },
      color: {
        mode: 'scheme',
        scheme: 'Oranges',
        exponent: 0.5,
        fill: 'dark-orange',
        reverse: false,
        steps: 64,
      },
      exemplars: { color: 'rgba(255,0,255,0.7)' },
      filterValues: { le: 1e-9 },
      legend: { show: true },
      rowsFrame: { layout: 'auto' },
      tooltip: { mode: 'single', yHistogram: false },
      yAxis: { axisPlacement: 'left', reverse: false, unit },
    },
  };
}

/** A value of a state, what it is called, and in which colour. */
export type StateName = readonly [value: number, text: string, color: string];

/** Which state something was in, and when. */
export function states(
  { title, description, runbook, width = 12, height = 8 }: Omit<Face, 'unit'>,
  query: Query,
  names: readonly StateName[],
): Panel {
  const options = Object.fromEntries(
    names.map(([value, text, color], index) => [String(value), { text, color, index }]),
  );
  return {
    ...{ type: 'state-timeline', title, description, width, height, queries: [query] },
    ...(runbook === undefined ? {} : { runbook }),
    fieldConfig: {
      defaults: {
        color: { mode: 'thresholds' },
        unit: 'none',
        mappings: [{ type: 'value', options }],
        thresholds: thresholds(steps()),
        custom: { fillOpacity: 70, lineWidth: 0 },
      },
      overrides: [],
    },
    options: {
      alignValue: 'left',
      legend: { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: true },
      mergeValues: true,
      rowHeight: 0.9,
      showValue: 'auto',
      tooltip: { mode: 'single', sort: 'none' },
    },
  };
}

/** The labels of the series there are, one line each; `columns` gives them a place and a name, all others are left out. */
export function labelTable(
  { title, description, width = 12, height = 8 }: Omit<Face, 'unit' | 'runbook'>,
  expr: string,
  columns: Readonly<Record<string, string>>,
): Panel {
  const names = Object.keys(columns);
  const indexByName = Object.fromEntries(names.map((name, index) => [name, index]));
  return {
    ...{ type: 'table', title, description, width, height, format: 'table', instant: true },
    queries: [{ expr, legend: '' }],
    transformations: [
      { id: 'filterFieldsByName', options: { include: { names } } },
      { id: 'organize', options: { indexByName, renameByName: columns } },
    ],
    fieldConfig: {
      defaults: { custom: { align: 'auto' }, mappings: [], unit: 'none', thresholds: thresholds(steps()) },
      overrides: [],
    },
    options: { cellHeight: 'sm', showHeader: true },
  };
}
