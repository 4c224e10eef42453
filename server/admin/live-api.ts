import type { ServerResponse } from 'node:http';
import type { LiveSample } from '../live/live-sample.ts';
import type { Handler } from './http.ts';
import type { LiveControl } from './live-control.ts';
import { answerFault } from './requests.ts';
import type { Endpoint } from './routes.ts';

const maxViewers = 32;
/** A viewer that has no room for so many samples in a row does not read. */
const maxMissed = 10;
/** What a browser says of a page that is not ours. */
const foreignSites: ReadonlySet<string> = new Set(['cross-site', 'same-site']);

/** `/api/live`: the gateway second by second, as server-sent events: `history` with what is remembered, then a `sample` each second. */
export function liveEndpoint(live: LiveControl): Record<string, Endpoint> {
  const feed = new LiveFeed(live);
  return { '/api/live': { GET: follow(live, feed) } };
}

function follow(live: LiveControl, feed: LiveFeed): Handler {
  return (request, response) => {
    // It could not read a word, but would keep the place of one that can.
    if (foreignSites.has(String(request.headers['sec-fetch-site']))) {
      answerFault(response, 403, 'a page of another origin sees nothing here');
      return;
    }
    // Behind another answer on its connection it would wait for ever, and not hear that the connection is gone.
    if (response.socket === null) {
      answerFault(response, 400, 'a connection can have one answer at a time');
      return;
    }
    if (request.method !== 'HEAD' && feed.full) {
      response.setHeader('Retry-After', '5');
      answerFault(response, 503, `${maxViewers} are watching, and more are not let in`);
      return;
    }
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      // nginx would hold the events back.
      'X-Accel-Buffering': 'no',
    });
    if (request.method === 'HEAD') return void response.end();
    response.write(eventText('history', live.history));
    feed.add(response);
  };
}

/** All who watch. Each sample is written out once for all of them; who does not read in time misses some, and then is cut off. */
class LiveFeed {
  readonly #live: LiveControl;
  readonly #missed = new Map<ServerResponse, number>();
  #stopWatching: (() => void) | undefined;

  constructor(live: LiveControl) {
    this.#live = live;
  }

  get full(): boolean {
    return this.#missed.size >= maxViewers;
  }

  add(viewer: ServerResponse): void {
    this.#missed.set(viewer, 0);
    this.#stopWatching ??= this.#live.watch((sample) => this.#send(sample));
    viewer.on('error', () => undefined);
    viewer.once('close', () => this.#remove(viewer));
  }

  #remove(viewer: ServerResponse): void {
    this.#missed.delete(viewer);
    if (this.#missed.size > 0) return;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  #send(sample: LiveSample): void {
    const text = eventText('sample', sample);
    for (const [viewer, missed] of this.#missed) {
      if (!viewer.writableNeedDrain) {
        this.#missed.set(viewer, 0);
        viewer.write(text);
      } else if (missed < maxMissed) this.#missed.set(viewer, missed + 1);
      else {
        this.#remove(viewer);
        viewer.destroy();
      }
    }
  }
}

function eventText(event: 'history' | 'sample', data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
