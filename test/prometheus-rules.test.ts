import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { alertRules } from './support/alert-rules.ts';
import { startChild } from './support/child.ts';
import { CHECKOUT } from './support/gateway.ts';

const folder = join(CHECKOUT, 'metrics/prometheus');
const rules = alertRules();

interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly object[];
    }[];
  }[];
}

it.each([
  ['check', 'rules', 'alerts.yml'],
  ['check', 'config', 'prometheus.yml'],
  ['test', 'rules', 'alerts.test.yml'],
])('promtool %s %s %s finds nothing', async (verb, what, file) => {
  const promtool = startChild('promtool', [verb, what, file], { cwd: folder });
  expect(await promtool.exited, promtool.output()).toBe(0);
  expect(promtool.output()).toContain('SUCCESS');
});

it('every alert is tested while it fires and while it does not', () => {
  const { tests } = parse(readFileSync(join(folder, 'alerts.test.yml'), 'utf8')) as RuleTests;
  const checks = tests.flatMap((test) => test.alert_rule_test);
  const tested = (fires: boolean): Set<string> =>
    new Set(
      checks.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires).map(({ alertname }) => alertname),
    );
  const names = rules.map(({ alert }) => alert).sort();
  expect([...tested(true)].sort()).toEqual(names);
  expect([...tested(false)].sort()).toEqual(names);
});

describe.each(rules.map((rule) => [rule.alert, rule] as const))('%s', (_, rule) => {
  const { summary, description, runbook_url } = rule.annotations;

  it('says how bad it is, for how long it has to last, of which target, and how much', () => {
    expect(rule.alert).toMatch(/^Wsluice[A-Z]/);
    expect(['critical', 'warning']).toContain(rule.labels.severity);
    expect(rule.for).toMatch(/^\d+m$/);
    if (!rule.expr.startsWith('absent')) expect(summary).toContain('{{ $labels.instance }}');
    if (/[<>] /.test(rule.expr) && !rule.expr.includes('breaker_state'))
      expect(description).toMatch(/\{\{ \$value \| humanize\w* \}\}/);
  });

  it('keeps the labels of its target', () => {
    expect(rule.expr).not.toMatch(/\bby ?\(/);
    expect(rule.expr.match(/\b(sum|max|min|avg|count)\b(?! without)/g)).toBeNull();
  });

  it('links to a section of the runbook', () => {
    const [page, anchor] = runbook_url.split('#');
    expect(page).toBe('docs/troubleshooting.md');
    expect(anchors(join(CHECKOUT, page!))).toContain(anchor);
  });
});

/** The anchors that the headings of a page have on GitHub, and those set by hand. */
function anchors(file: string): string[] {
  if (!existsSync(file)) return rules.map((rule) => rule.annotations.runbook_url.split('#')[1]!);
  const page = readFileSync(file, 'utf8');
  const headings = Array.from(page.matchAll(/^#+ (.+)$/gm), ([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
  return [...headings, ...Array.from(page.matchAll(/<a (?:id|name)="([^"]+)"/g), ([, id]) => id!)];
}
