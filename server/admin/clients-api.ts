import { answerJson, type Handler } from './http.ts';
import { clientRanks, type ClientsControl } from './clients-control.ts';
import { answerFault, queryOf, wholeOf } from './requests.ts';
import type { Endpoint } from './routes.ts';

/** How many clients a page has, unless it is asked otherwise, and at most. */
const defaultLimit = 100;
const maxLimit = 1_000;
const maxOffset = 1e9;

/** `/api/clients`: who is connected, page by page, those who do most first where asked; a client by its id can be closed. */
export function clientEndpoints(clients: ClientsControl): Record<string, Endpoint> {
  return {
    '/api/clients': { GET: listClients(clients) },
    '/api/clients/<id>': { DELETE: dismissClient(clients) },
  };
}

function listClients(clients: ClientsControl): Handler {
  return (request, response) => {
    const query = queryOf(request);
    const offset = wholeOf(query.get('offset') ?? '0', 0, maxOffset);
    const limit = wholeOf(query.get('limit') ?? String(defaultLimit), 1, maxLimit);
    const given = query.get('sort');
    const sort = clientRanks.find((rank) => rank === given);
    const isSortKnown = given === null || sort !== undefined;
    if (offset !== undefined && limit !== undefined && isSortKnown) {
      answerJson(response, 200, clients.page({ offset, limit, ...(sort === undefined ? {} : { sort }) }));
      return;
    }
    const faults = [
      ...(offset === undefined ? [`offset is not a whole number from 0 to ${maxOffset}`] : []),
      ...(limit === undefined ? [`limit is not a whole number from 1 to ${maxLimit}`] : []),
      ...(isSortKnown ? [] : [`sort is not one of ${clientRanks.join(', ')}`]),
    ];
    answerFault(response, 400, ...faults);
  };
}

function dismissClient(clients: ClientsControl): Handler {
  return (_, response, params) => {
    const given = params['id']!;
    const id = wholeOf(given, 1, Number.MAX_SAFE_INTEGER);
    if (id !== undefined && clients.dismiss(id)) answerJson(response, 200, { id, closed: true });
    else answerFault(response, 404, 'no client with this id is connected');
  };
}
