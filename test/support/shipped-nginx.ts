import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { selfSignedCertificate, type Certificate } from './certificate.ts';
import { startChild, waitForPort, type Child } from './child.ts';
import { freePort } from './free-port.ts';
import { CHECKOUT } from './gateway.ts';
import { onTearDown } from './tear-down.ts';
import { tempDir } from './temp-dir.ts';

const shippedPath = join(CHECKOUT, 'nginx/wsluice.conf');

/** The text of nginx/wsluice.conf. */
export function shippedConfig(): string {
  return readFileSync(shippedPath, 'utf8');
}

export interface ShippedNginxOptions {
  readonly gatewayPorts: readonly number[];
  /** In place of the shipped 15 minutes, which no test waits for. */
  readonly workerShutdownTimeout?: string;
}

/** An nginx with the configuration that is shipped; only addresses, ports and paths are others. */
export class ShippedNginx {
  readonly port: number;
  readonly #dir: string;
  readonly #certificate: Certificate;
  readonly #shutdownTimeout: string;
  #child: Child | undefined;

  private constructor(port: number, dir: string, certificate: Certificate, shutdownTimeout: string) {
    this.port = port;
    this.#dir = dir;
    this.#certificate = certificate;
    this.#shutdownTimeout = shutdownTimeout;
  }

  static async start({
    gatewayPorts,
    workerShutdownTimeout = '15m',
  }: ShippedNginxOptions): Promise<ShippedNginx> {
    const nginx = new ShippedNginx(
      await freePort(),
      tempDir(),
      selfSignedCertificate(),
      workerShutdownTimeout,
    );
    nginx.#write(gatewayPorts);
    const child = startChild('nginx', [...nginx.#args, '-g', 'daemon off;'], { ownGroup: true });
    // Killed, it would leave its workers behind.
    onTearDown(async () => {
      await child.stop('SIGTERM');
    });
    nginx.#child = child;
    await waitForPort(child, nginx.port);
    return nginx;
  }

  /** What `nginx -t` says of the configuration. */
  static async check(): Promise<{ exitCode: number | string; output: string }> {
    const nginx = new ShippedNginx(await freePort(), tempDir(), selfSignedCertificate(), '15m');
    nginx.#write([8080, 8081, 8082]);
    const child = startChild('nginx', [...nginx.#args, '-t']);
    return { exitCode: await child.exited, output: child.output() };
  }

  /** Reloads with other gateways: SIGHUP, as `systemctl reload nginx` does. */
  reload(gatewayPorts: readonly number[]): void {
    this.#write(gatewayPorts);
    this.#child!.signal('SIGHUP');
  }

  /** Its workers, those that are shutting down too. */
  workers(): readonly number[] {
    const { pid } = this.#child!;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return children.trim().split(' ').map(Number);
  }

  /** Those of its workers that take new connections; the others wait for their clients to leave. */
  acceptingWorkers(): readonly number[] {
    return this.workers().filter((pid) => !titleOf(pid).includes('shutting down'));
  }

  /** Begins a TLS connection that checks the certificate. */
  connect(localAddress?: string): TLSSocket {
    return connect({
      host: '127.0.0.1',
      port: this.port,
      servername: 'localhost',
      ca: this.#certificate.cert,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
  }

  /** What is in a log. */
  log(name: 'access' | 'error'): string {
    return readFileSync(join(this.#dir, `${name}.log`), 'utf8');
  }

  get #args(): string[] {
    return ['-p', this.#dir, '-e', join(this.#dir, 'error.log'), '-c', join(this.#dir, 'nginx.conf')];
  }

  #write(gatewayPorts: readonly number[]): void {
    const servers = gatewayPorts.map((port) => `server 127.0.0.1:${port} max_fails=3 fail_timeout=10s;`);
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${this.#dir}/${kind};`,
    );
    const changes: readonly (readonly [RegExp, string])[] = [
      [/(server 10\.0\.0\.\d+:8080 max_fails=3 fail_timeout=10s;\s*)+/, `${servers.join('\n')}\n`],
      [/listen 443 /, `listen 127.0.0.1:${this.port} `],
      [/listen \[::\]:443 /, `listen 127.0.0.2:${this.port} `],
      [/\/etc\/nginx\/tls\/fullchain\.pem/, this.#certificate.certPath],
      [/\/etc\/nginx\/tls\/privkey\.pem/, this.#certificate.keyPath],
      [/\/run\/nginx\.pid/, join(this.#dir, 'nginx.pid')],
      [/\/var\/log\/nginx\/error\.log/, join(this.#dir, 'error.log')],
      [/\/var\/log\/nginx\/access\.log/, join(this.#dir, 'access.log')],
      [/worker_shutdown_timeout 15m;/, `worker_shutdown_timeout ${this.#shutdownTimeout};`],
      [/http \{/, `http {\n${temp.join('\n')}`],
    ];
    let config = shippedConfig();
    for (const [shipped, here] of changes) {
      if (!shipped.test(config)) throw new Error(`nginx/wsluice.conf has no ${shipped.source}`);
      config = config.replace(shipped, here);
    }
    writeFileSync(join(this.#dir, 'nginx.conf'), config);
  }
}

/** What a process calls itself; empty when it is gone. */
function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
