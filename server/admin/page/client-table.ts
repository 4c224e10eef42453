import type { ClientReport, ClientsPage } from '../clients-control.ts';
import { element, setText } from './element.ts';
import { bytesText, countText, durationText, plural } from './format.ts';

/** How many are shown. */
export const shownClients = 10;

/** The clients with the most messages. */
export class ClientTable {
  readonly #table: HTMLTableElement;
  readonly #rows: HTMLTableSectionElement;
  readonly #note: HTMLElement;

  constructor(table: HTMLTableElement, note: HTMLElement) {
    this.#table = table;
    this.#rows = table.tBodies[0]!;
    this.#note = note;
  }

  show({ total, clients }: ClientsPage, now: number): void {
    this.#table.hidden = clients.length === 0;
    const shown =
      clients.length < total ? `${clients.length} of ${plural(total, 'client')}` : plural(total, 'client');
    setText(this.#note, total === 0 ? 'No client is connected.' : `${shown}, those with most messages first`);
    this.#rows.replaceChildren(...clients.map((client) => rowOf(client, now)));
  }
}

function rowOf(client: ClientReport, now: number): HTMLTableRowElement {
  const { id, address, identity, route, pool, messages, bytes, inFlight, waiting, codec, connectedAt } =
    client;
  const number = (text: string, kind = ''): HTMLElement => element('td', { class: `number ${kind}` }, text);
  return element(
    'tr',
    {},
    element(
      'th',
      { scope: 'row' },
      element('code', {}, address),
      element('small', {}, identity === null ? `client ${id}` : `client ${id}, identity ${identity}`),
    ),
    element('td', { class: 'wide' }, element('code', {}, route), element('small', {}, `pool ${pool}`)),
    number(countText(messages.received)),
    number(countText(messages.sent)),
    number(bytesText(bytes.received), 'wide'),
    number(bytesText(bytes.sent), 'wide'),
    number(waiting === 0 ? countText(inFlight) : `${countText(inFlight)} + ${countText(waiting)} waiting`),
    element('td', { class: 'wide' }, codec ?? 'none'),
    number(durationText(now - Date.parse(connectedAt)), 'wide'),
  );
}
