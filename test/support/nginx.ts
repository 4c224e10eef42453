import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild, waitForPort } from './child.ts';
import { freePort } from './free-port.ts';
import { tempDir } from './temp-dir.ts';

/** Starts a real nginx that balances WebSocket connections over `ports` with `least_conn`; returns the port it listens on. */
export async function startNginx(ports: readonly number[]): Promise<number> {
  const dir = tempDir();
  const port = await freePort();
  mkdirSync(join(dir, 'temp'));
  const tempPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${dir}/temp;`,
  );
  const config = `
    daemon off;
    master_process off;
    pid ${dir}/nginx.pid;
    error_log stderr warn;
    events { worker_connections 1024; }
    http {
      access_log off;
      ${tempPaths.join('\n')}
      upstream gateways {
        least_conn;
        ${ports.map((gatewayPort) => `server 127.0.0.1:${gatewayPort};`).join('\n')}
      }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://gateways;
          proxy_http_version 1.1;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection "upgrade";
          proxy_set_header Host $host;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          proxy_read_timeout 60s;
        }
      }
    }`;
  writeFileSync(join(dir, 'nginx.conf'), config);
  const nginx = startChild('nginx', ['-p', dir, '-e', 'stderr', '-c', join(dir, 'nginx.conf')]);
  await waitForPort(nginx, port);
  return port;
}
