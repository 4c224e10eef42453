import { randomUUID } from 'node:crypto';
import type { ClientRequest } from 'node:http';
import { get } from './node-http.ts';

/** What this needs of the engine. */
interface CorkEngine<ListenSocket> {
  App(): CorkApp<ListenSocket>;
  us_listen_socket_close(socket: ListenSocket): void;
  us_socket_local_port(socket: ListenSocket): number;
}

interface CorkApp<ListenSocket> {
  get(path: string, handler: (response: CorkResponse) => void): unknown;
  listen(host: string, port: number, callback: (socket: ListenSocket | false) => void): unknown;
  close(): unknown;
}

interface CorkResponse {
  cork(callback: () => void): unknown;
  onAborted(callback: () => void): unknown;
}

/**
 * A cork to upgrade under when that comes later than the request. Corking the response itself, as the engine asks, reads
 * memory after the upgrade that is not the response's any more, and by what it finds there closes one WebSocket in ten.
 * So this corks another response: one that is never sent, to a request that this process makes to itself.
 */
export class Cork {
  readonly #close: () => void;
  #response: CorkResponse | undefined;

  private constructor(response: CorkResponse, close: () => void) {
    this.#response = response;
    this.#close = close;
    // Nobody else knows this connection; should it end all the same, the engine's warning is better than its exception.
    response.onAborted(() => (this.#response = undefined));
  }

  static open<ListenSocket>(engine: CorkEngine<ListenSocket>): Promise<Cork> {
    return new Promise((resolve, fail) => {
      const path = `/${randomUUID()}`;
      const app = engine.App();
      let request: ClientRequest | undefined;
      const close = (): void => {
        request?.destroy();
        app.close();
      };
      let listening: ListenSocket | undefined;
      app.get(path, (response) => {
        if (listening !== undefined) engine.us_listen_socket_close(listening);
        resolve(new Cork(response, close));
      });
      app.listen('127.0.0.1', 0, (socket) => {
        if (socket === false) return fail(new Error('no port of the loopback interface is free'));
        listening = socket;
        request = get({ host: '127.0.0.1', port: engine.us_socket_local_port(socket), path });
        request.on('error', fail);
        request.on('socket', (connection) => connection.unref());
      });
    });
  }

  run(callback: () => void): void {
    if (this.#response === undefined) callback();
    else this.#response.cork(callback);
  }

  close(): void {
    this.#close();
  }
}
