export interface NginxConfigOptions {
  readonly dir: string;
  readonly port: number;
  readonly backendPort: number;
  readonly upstreamPath: string;
}

/** Returns the config of an nginx that tunnels WebSocket connections 1:1 at its best: one worker, no logs, no limits in the way. */
export function nginxConfig({ dir, port, backendPort, upstreamPath }: NginxConfigOptions): string {
  const tempPaths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
# One worker against one thread: the gateway and HAProxy have one each.
worker_processes 1;
worker_rlimit_nofile 20000;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log crit;
events { worker_connections 19000; use epoll; }
http {
  # No log line for a connection.
  access_log off;
  ${tempPaths.map((name) => `${name}_temp_path ${dir}/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /ws {
      # The backend counts connections by path.
      proxy_pass http://127.0.0.1:${backendPort}${upstreamPath};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      # By default a client that is silent for a minute would be dropped.
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }
  }
}
`;
}
