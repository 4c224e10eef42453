import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dashboardJson } from './dashboard.ts';

interface Grid {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Grid;
  readonly datasource?: object;
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
  }[];
  readonly fieldConfig: { readonly defaults: { readonly unit?: string } };
  readonly links?: readonly { readonly url: string }[];
}

interface DashboardJson {
  readonly id: null;
  readonly schemaVersion: number;
  readonly panels: readonly PanelJson[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}

const text = dashboardJson();
const dashboard = JSON.parse(text) as DashboardJson;
const rows = dashboard.panels.filter(({ type }) => type === 'row');
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const root = join(import.meta.dirname, '../..');

describe('the dashboard', () => {
  it('has a row for each part of the gateway', () => {
    expect(rows.map(({ title }) => title)).toEqual(['Overview', 'Pools', 'Limits', 'Codecs', 'Runtime']);
    expect(dashboard.panels[0]).toMatchObject({ type: 'row', gridPos: { x: 0, y: 0, w: 24, h: 1 } });
  });

  it('gives every panel an id and a place of its own', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (const cell of cells(gridPos)) {
        expect(taken.has(cell), `${title} lies over another panel`).toBe(false);
        taken.add(cell);
      }
    }
  });

  it('leaves no gap in any row', () => {
    for (const { title, gridPos } of dashboard.panels.filter(({ gridPos: { x } }) => x === 0)) {
      const beside = dashboard.panels.filter(({ gridPos: { y } }) => y === gridPos.y);
      expect(
        beside.reduce((sum, panel) => sum + panel.gridPos.w, 0),
        title,
      ).toBe(24);
      expect(new Set(beside.map((panel) => panel.gridPos.h)).size, title).toBe(1);
    }
  });

  it('is tied to no installation', () => {
    expect(dashboard).toMatchObject({ id: null, schemaVersion: 42 });
    const uids = Array.from(text.matchAll(/"uid": "([^"]*)"/g), ([, uid]) => uid);
    expect(new Set(uids)).toEqual(new Set(['wsluice', '${datasource}', '-- Grafana --']));
    expect(text).not.toMatch(/__inputs|https?:/);
  });

  it('shows no process of another job, though all be chosen', () => {
    const [job] = dashboard.templating.list.filter(({ name }) => name === 'job');
    expect(job).toMatchObject({
      includeAll: true,
      query: { query: 'label_values(wsluice_build_info, job)' },
    });
    expect(job).not.toHaveProperty('allValue');
  });

  it('uses every variable that it has, and no other', () => {
    const used = new Set(Array.from(text.matchAll(/\$\{?(?!__)(\w+)/g), ([, name]) => name));
    expect([...used].sort()).toEqual(dashboard.templating.list.map(({ name }) => name).sort());
  });
});

describe.each(panels.map((panel) => [panel.title, panel] as const))('%s', (_, panel) => {
  it('says what it shows, in which unit, and by which name', () => {
    expect(panel.description).toMatch(/^[A-Z].{20,}\.$/);
    if (panel.type !== 'heatmap') expect(panel.fieldConfig.defaults.unit).toBeTruthy();
    if (panel.type !== 'table')
      for (const { legendFormat } of panel.targets!) expect(legendFormat).not.toBe('');
  });

  it('asks for the gateways that were chosen, with rates over an interval that fits', () => {
    expect(panel.targets!.length).toBeGreaterThan(0);
    expect(new Set(panel.targets!.map(({ refId }) => refId)).size).toBe(panel.targets!.length);
    for (const { expr } of panel.targets!) {
      for (const [selector] of expr.matchAll(/\w+\{[^}]*\}/g)) {
        if (!selector.startsWith('ALERTS')) expect(selector).toContain('{job=~"$job", instance=~"$instance"');
      }
      expect(expr.match(/\b(wsluice|websocket|process|nodejs)_\w+(?!\w|\{)/g), expr).toBeNull();
      for (const [, window] of expr.matchAll(/\[([^\]]*)\]/g)) expect(window).toBe('$__rate_interval');
      // A counter is nothing to look at without its rate.
      for (const [counter] of expr.matchAll(/.{0,12}\b\w+_(total|sum|count|bucket)\{/g)) {
        if (!counter.includes('websocket_connections_total')) expect(counter).toContain('rate(');
      }
    }
  });

  it('links to a section of the runbook that is there', () => {
    const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
    for (const { url } of panel.links!) {
      const [, anchor] = url.split('#');
      expect(page).toContain(`](#${anchor})`);
    }
  });
});

function cells({ x, y, w, h }: Grid): string[] {
  return Array.from({ length: w * h }, (_, n) => `${x + (n % w)} ${y + Math.floor(n / w)}`);
}
