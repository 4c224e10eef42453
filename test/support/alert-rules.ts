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
 * The rules with seconds for minutes, so that a test sees them fire: rates are taken over 5 seconds, and what had to last for
 * minutes has to last for a second. Expressions, thresholds, labels and longer windows stay as they are.
 */
export function hastened(text: string): string {
  return text.replaceAll('[5m]', '[5s]').replaceAll(/^(\s+for:) [1-9]\d*m$/gm, '$1 1s');
}
