import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { alertsFile, hastened } from './alert-rules.ts';
import { startChild, waitForPort } from './child.ts';
import { freePort } from './free-port.ts';
import { CHECKOUT } from './gateway.ts';
import { tempDir } from './temp-dir.ts';

/** One series of an answer. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** An alert as Prometheus has it now. */
export interface Alert {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** Which admin port is scraped under which `instance`. */
export type Targets = Readonly<Record<string, number>>;

/** A real Prometheus with the configuration and the rules that are shipped, once a second. */
export interface Prometheus {
  /** What an expression gives now; throws what is wrong with it. */
  query(expr: string): Promise<Series[]>;
  /** Every alert that fires now. */
  firing(): Promise<Alert[]>;
  /** Scrapes these from now on, and nothing else. */
  retarget(targets: Targets): void;
}

/** Starts Prometheus before these targets, to which it shows `token`. Its rules are `hastened`. */
export async function startPrometheus(targets: Targets, token: string): Promise<Prometheus> {
  const folder = tempDir();
  const config = join(folder, 'prometheus.yml');
  const write = (now: Targets): void => writeFileSync(config, stringify(configuration(now)));
  write(targets);
  writeFileSync(join(folder, 'token'), token);
  writeFileSync(join(folder, 'alerts.yml'), hastened(alertsFile()));
  const port = await freePort();
  const child = startChild('prometheus', [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  await waitForPort(child, port);
  const ask = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    const body = (await response.json()) as { data: T; error?: string };
    if (body.error !== undefined) throw new Error(body.error);
    return body.data;
  };
  return {
    query: async (expr) => {
      const { result } = await ask<{ result: { metric: Series['metric']; value: [number, string] }[] }>(
        `/api/v1/query?query=${encodeURIComponent(expr)}`,
      );
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    firing: async () => {
      const { alerts } = await ask<{
        alerts: { state: string; labels: Record<string, string>; annotations: Record<string, string> }[];
      }>('/api/v1/alerts');
      return alerts
        .filter(({ state }) => state === 'firing')
        .map(({ labels: { alertname = '', ...labels }, annotations }) => ({
          ...{ name: alertname, labels, summary: annotations['summary'] ?? '' },
        }));
    },
    retarget: (now) => {
      write(now);
      child.signal('SIGHUP');
    },
  };
}

interface Configuration {
  readonly global: object;
  readonly scrape_configs: readonly object[];
}

/** metrics/prometheus/prometheus.yml with these targets, a token, and seconds for minutes. */
function configuration(targets: Targets): Configuration {
  const shipped = parse(
    readFileSync(join(CHECKOUT, 'metrics/prometheus/prometheus.yml'), 'utf8'),
  ) as Configuration;
  return {
    ...shipped,
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    scrape_configs: [
      {
        ...shipped.scrape_configs[0],
        authorization: { type: 'Bearer', credentials_file: 'token' },
        static_configs: Object.entries(targets).map(([instance, port]) => ({
          targets: [`127.0.0.1:${port}`],
          labels: { instance },
        })),
      },
    ],
  };
}
