import type { PoolReport } from '../pools-control.ts';
import type { ConfirmDialog } from './confirm-dialog.ts';
import { plural } from './format.ts';
import type { GatewayApi } from './gateway-api.ts';
import type { Notice } from './notice.ts';
import { questionOf, type PoolAction } from './pool-texts.ts';

export interface OperationsOptions {
  readonly api: GatewayApi;
  readonly dialog: ConfirmDialog;
  readonly notice: Notice;
}

/** What operators do here: asked first, then done, and then said how it went. */
export class Operations {
  readonly #options: OperationsOptions;

  constructor(options: OperationsOptions) {
    this.#options = options;
  }

  async onPool(action: PoolAction, pool: PoolReport): Promise<void> {
    const { name } = pool;
    const path = `api/pools/${encodeURIComponent(name)}/${action}`;
    if (!(await this.#options.dialog.ask(questionOf(action, pool)))) return;
    const said = {
      pause: [
        `Pausing ${name}: waiting for what is in flight.`,
        `${name} is paused, and nothing is in flight.`,
      ],
      resume: [`Resuming ${name}.`, `${name} is resumed.`],
      reconnect: [`Reconnecting ${name}.`, `${name} gets new connections, one by one.`],
    }[action];
    await this.#do(path, said[0]!, said[1]!);
  }

  async drain(clients: number): Promise<void> {
    const yes = await this.#options.dialog.ask({
      title: 'Drain and stop this gateway?',
      points: [
        'Nobody new is let in, and paused pools are resumed.',
        'What is in flight is answered.',
        `${plural(clients, 'client')} ${clients === 1 ? 'is' : 'are'} sent away with close code 1001, spread over time.`,
        'Then the process ends. It cannot be undone, and only whoever runs the gateway can start it again.',
      ],
      verb: 'Drain and stop',
      word: 'drain',
    });
    if (yes) await this.#do('api/drain', 'Asking for the drain.', 'The gateway drains.');
  }

  async #do(path: string, before: string, after: string): Promise<void> {
    const { api, notice } = this.#options;
    notice.say(before);
    const { ok, faults } = await api.change(path);
    if (ok) notice.say(after);
    else notice.say(`That did not work: ${faults}.`, true);
  }
}
