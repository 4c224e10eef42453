import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CHECKOUT } from './gateway.ts';

/** One alert as metrics/prometheus/alerts.yml states it. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    readonly runbook_url: string;
  };
}

/** The text of the alert rules as they are shipped. */
export function alertsFile(): string {
  return readFileSync(join(CHECKOUT, 'metrics/prometheus/alerts.yml'), 'utf8');
}

/** Every alert that is shipped. */
export function alertRules(text = alertsFile()): AlertRule[] {
  const { groups } = parse(text) as { groups: { rules: AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

/**
 * The rules in a world where a minute is a second, so that a test sees them fire: every window is as many seconds as it has minutes, at
 * least 5, and what had to last for minutes has to last for a second. Expressions, thresholds and labels stay as they are.
 */
export function hastened(text: string): string {
  return text
    .replaceAll(/\[(\d+)m\]/g, (_, minutes: string) => `[${Math.max(5, Number(minutes))}s]`)
    .replaceAll(/^(\s+for:) [1-9]\d*m$/gm, '$1 1s');
}
