import type { PoolReport } from '../pools-control.ts';
import { Badge } from './badge.ts';
import { element, setText } from './element.ts';
import { countText, percentText, plural } from './format.ts';
import { poolStanding, type PoolAction } from './pool-texts.ts';
import { UpstreamRows } from './upstream-rows.ts';

/** Called with what is to be done to a pool. */
export type OnPoolAction = (action: PoolAction, pool: PoolReport) => void;

const states = ['busy', 'idle', 'dialing', 'draining'] as const;

/** One pool: how it is, how full, its upstreams, and what can be done to it. */
export class PoolCard {
  readonly element: HTMLElement;
  readonly #standing = new Badge();
  readonly #about = element('p', { class: 'about' });
  readonly #buttons: Readonly<Record<PoolAction, HTMLButtonElement>>;
  readonly #parts = states.map((state) => element('span', { class: `part ${state}` }));
  readonly #bar = element('div', { class: 'bar', 'aria-hidden': 'true' }, ...this.#parts);
  readonly #occupancy = element('p', { class: 'occupancy' });
  readonly #figures = new Map<string, HTMLElement>();
  readonly #upstreams = new UpstreamRows();
  #report: PoolReport;

  constructor(report: PoolReport, onAction: OnPoolAction) {
    this.#report = report;
    const button = (action: PoolAction, text: string): HTMLButtonElement => {
      const made = element(
        'button',
        { type: 'button', 'aria-label': `${text} the pool ${report.name}` },
        text,
      );
      made.addEventListener('click', () => onAction(action, this.#report));
      return made;
    };
    this.#buttons = {
      pause: button('pause', 'Pause'),
      resume: button('resume', 'Resume'),
      reconnect: button('reconnect', 'Reconnect'),
    };
    const figures = element('dl', { class: 'figures many' });
    for (const label of ['clients', 'in flight', 'waiting', 'errors in all', 'upstreams lost']) {
      const value = element('dd');
      this.#figures.set(label, value);
      figures.append(element('div', {}, element('dt', {}, label), value));
    }
    this.element = element(
      'article',
      { class: 'card pool', 'data-pool': report.name },
      element(
        'div',
        {},
        element(
          'header',
          {},
          element('h3', {}, report.name),
          this.#standing.element,
          element('div', { class: 'buttons' }, ...Object.values(this.#buttons)),
        ),
        this.#about,
        this.#bar,
        this.#occupancy,
        figures,
      ),
      this.#upstreams.element,
    );
  }

  show(report: PoolReport, at: number): void {
    this.#report = report;
    const { mode, balance, embedded, paused, minConnections, maxConnections, connections, totals } = report;
    this.#standing.show(poolStanding(report));
    const how = embedded
      ? 'answers from inside the gateway'
      : `${balance}, ${minConnections} to ${countText(maxConnections)} connections`;
    setText(this.#about, `${mode} mode, ${how}`);
    this.#buttons.pause.hidden = paused || embedded;
    this.#buttons.resume.hidden = !paused || embedded;
    this.#buttons.reconnect.hidden = embedded;
    this.#bar.hidden = this.#occupancy.hidden = embedded;
    for (const [index, state] of states.entries()) {
      const part = this.#parts[index]!;
      part.hidden = connections[state] === 0;
      part.style.width = `${(connections[state] / maxConnections) * 100}%`;
    }
    setText(this.#occupancy, occupancyText(report));
    this.#figure('clients', report.clients);
    this.#figure('in flight', report.inFlight);
    this.#figure('waiting', report.waiting);
    this.#figure('errors in all', totals.errored);
    this.#figure('upstreams lost', totals.upstreamsLost);
    this.#upstreams.show(report, at);
  }

  redraw(): void {
    this.#upstreams.redraw();
  }

  destroy(): void {
    this.#upstreams.destroy();
    this.element.remove();
  }

  #figure(label: string, value: number): void {
    setText(this.#figures.get(label)!, countText(value));
  }
}

function occupancyText({ connections, maxConnections, replacing }: PoolReport): string {
  const open = states.reduce((total, state) => total + connections[state], 0);
  const byState = states.filter((state) => connections[state] > 0);
  const parts = byState.map((state) => `${countText(connections[state])} ${state}`);
  if (replacing > 0) parts.push(`${countText(replacing)} to be replaced`);
  const share = percentText(open / maxConnections);
  const all = `${countText(open)} of ${plural(maxConnections, 'connection')} (${share})`;
  return parts.length === 0 ? all : `${all}: ${parts.join(', ')}`;
}
