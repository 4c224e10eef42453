import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const listening = '0A';

/** Returns the processes of this machine that listen on a TCP port, as far as this user may see them (Linux). */
export function listeningPids(port: number): number[] {
  const sockets = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => inodesIn(file, port)));
  if (sockets.size === 0) return [];
  return entries('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => entries(`/proc/${pid}/fd`).some((fd) => sockets.has(linkOf(`/proc/${pid}/fd/${fd}`))))
    .map(Number);
}

function inodesIn(file: string, port: number): string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const found: string[] = [];
  for (const line of textOf(file).split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[3] === listening && fields[1]?.endsWith(`:${hexPort}`)) found.push(`socket:[${fields[9]}]`);
  }
  return found;
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
