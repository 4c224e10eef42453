import type { PoolReport, UpstreamReport } from '../pools-control.ts';
import { Badge } from './badge.ts';
import { element, setText } from './element.ts';
import { countText, plural } from './format.ts';
import { failureText, upstreamStanding } from './pool-texts.ts';
import { SparkLine } from './spark-line.ts';

/** More are counted, not listed. */
const maxRows = 24;

/** The upstreams of a pool, one a row, with what each had to do in the last minute, as far as the page saw it. */
export class UpstreamRows {
  readonly #rows = new Map<string, UpstreamRow>();
  readonly #list = element('ul', { class: 'upstreams' });
  readonly #more = element('p', { class: 'more' });
  readonly #caption = element('p', { class: 'caption', 'aria-hidden': 'true' });
  readonly element = element('div', {}, this.#caption, this.#list, this.#more);

  show({ mode, upstreams }: PoolReport, at: number): void {
    const shown = upstreams.length > maxRows ? mostTroubled(upstreams) : upstreams;
    const names = new Set(shown.map(({ upstream }) => upstream));
    for (const [name, row] of this.#rows) if (!names.has(name)) this.#drop(name, row);
    const load = (report: UpstreamReport): number =>
      mode === 'session' ? report.connections : report.inFlight;
    const top = Math.max(1, ...shown.map(load), ...Array.from(this.#rows.values(), ({ peak }) => peak));
    for (const report of shown) this.#rowOf(report.upstream).show(report, { at, load: load(report), top });
    setText(this.#caption, `${mode === 'session' ? 'connections' : 'in flight'} in the last minute`);
    this.#caption.hidden = shown.length === 0;
    this.#more.hidden = shown.length === upstreams.length;
    setText(this.#more, moreText(upstreams, shown));
  }

  redraw(): void {
    for (const row of this.#rows.values()) row.redraw();
  }

  destroy(): void {
    for (const [name, row] of this.#rows) this.#drop(name, row);
  }

  #rowOf(name: string): UpstreamRow {
    let row = this.#rows.get(name);
    if (row === undefined) {
      this.#rows.set(name, (row = new UpstreamRow(name)));
      this.#list.append(row.element);
    }
    return row;
  }

  #drop(name: string, row: UpstreamRow): void {
    row.destroy();
    this.#rows.delete(name);
  }
}

class UpstreamRow {
  readonly #standing = new Badge();
  readonly #failure = element('small');
  readonly #connections = element('strong');
  readonly #connectionsUnit = element('span');
  readonly #inFlight = element('strong');
  readonly #spark = new SparkLine();
  readonly element: HTMLElement;

  constructor(name: string) {
    this.element = element(
      'li',
      {},
      element('code', {}, name),
      element('div', { class: 'standing' }, this.#standing.element, this.#failure),
      element('span', { class: 'amount' }, this.#connections, ' ', this.#connectionsUnit),
      element('span', { class: 'amount' }, this.#inFlight, ' in flight'),
      this.#spark.element,
    );
  }

  get peak(): number {
    return this.#spark.peak;
  }

  show(report: UpstreamReport, { at, load, top }: { at: number; load: number; top: number }): void {
    this.#standing.show(upstreamStanding(report));
    setText(this.#failure, failureText(report));
    setText(this.#connections, countText(report.connections));
    setText(this.#connectionsUnit, report.connections === 1 ? 'connection' : 'connections');
    setText(this.#inFlight, countText(report.inFlight));
    this.#spark.add(at, load, top);
  }

  redraw(): void {
    this.#spark.redraw();
  }

  destroy(): void {
    this.#spark.destroy();
    this.element.remove();
  }
}

const severity = { bad: 0, warn: 1, quiet: 2, good: 3 };

function mostTroubled(upstreams: readonly UpstreamReport[]): readonly UpstreamReport[] {
  const byTrouble = upstreams.toSorted(
    (one, other) => severity[upstreamStanding(one).mood] - severity[upstreamStanding(other).mood],
  );
  return byTrouble.slice(0, maxRows);
}

function moreText(all: readonly UpstreamReport[], shown: readonly UpstreamReport[]): string {
  const hidden = all.filter((report) => !shown.includes(report));
  const troubled = hidden.filter((report) => /bad|warn/.test(upstreamStanding(report).mood)).length;
  const how = troubled === 0 ? 'none in trouble' : `${countText(troubled)} of them in trouble`;
  return `and ${plural(hidden.length, 'more upstream')}, ${how}`;
}
