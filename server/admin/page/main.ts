import type { ClientsPage } from '../clients-control.ts';
import { ChartGrid, type ScopedLimits } from './chart-grid.ts';
import { ClientTable, shownClients } from './client-table.ts';
import { ConfirmDialog } from './confirm-dialog.ts';
import { ContactView } from './contact-view.ts';
import { byId } from './element.ts';
import { GatewayApi } from './gateway-api.ts';
import { History } from './history.ts';
import { LiveFeed, type Contact } from './live-feed.ts';
import { Notice } from './notice.ts';
import { Operations } from './operations.ts';
import { PoolList } from './pool-list.ts';
import { useTheme } from './theme.ts';
import { TokenForm } from './token-form.ts';

/** How often the clients and the limits are asked for, which the feed does not carry. */
const askEveryMs = 3_000;

const api = new GatewayApi();
const history = new History();
const live = byId('live', HTMLElement);
const signOut = byId('sign-out', HTMLButtonElement);
const contactView = new ContactView();
const operations = new Operations({ api, dialog: new ConfirmDialog(), notice: new Notice() });
const charts = new ChartGrid(byId('charts', HTMLElement), history);
const pools = new PoolList(
  byId('pools', HTMLElement),
  (action, pool) => void operations.onPool(action, pool),
);
const clients = new ClientTable(byId('clients', HTMLTableElement), byId('clients-note', HTMLElement));

const feed = new LiveFeed({
  api,
  onHistory: (samples) => {
    history.begin(samples);
    charts.show();
    void askForTheRest();
  },
  onSample: (sample) => {
    contactView.seen(sample.draining);
    history.add(sample);
    charts.show();
    pools.show(sample.pools, sample.at);
  },
  onContact: showContact,
});
const tokenForm = new TokenForm(api, () => feed.start());

function showContact(contact: Contact): void {
  if (contact.state === 'token-needed') {
    live.hidden = true;
    tokenForm.show();
  } else if (contact.state === 'live') {
    live.hidden = false;
    tokenForm.hide();
  }
  signOut.hidden = !api.hasToken;
  contactView.show(contact);
}

async function askForTheRest(): Promise<void> {
  const [page, limits] = await Promise.all([
    api.read(`api/clients?sort=messages&limit=${shownClients}`),
    api.read('api/limits'),
  ]);
  if (page !== undefined) clients.show(page as ClientsPage, Date.now());
  if (limits !== undefined) charts.useLimits(limits as ScopedLimits);
}

byId('drain', HTMLButtonElement).addEventListener('click', () => {
  void operations.drain(history.latest?.connections.open ?? 0);
});
signOut.addEventListener('click', () => {
  api.forgetToken();
  location.reload();
});
useTheme(byId('theme', HTMLButtonElement), () => {
  charts.redraw();
  pools.redraw();
});
setInterval(() => {
  if (document.body.dataset['contact'] === 'live' && !document.hidden) void askForTheRest();
}, askEveryMs);
feed.start();
