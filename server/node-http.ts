import { createRequire } from 'node:module';

const http = createRequire(import.meta.url)('node:http') as typeof import('node:http');

/**
 * What is used of `node:http`. An import of it reads each of its exports, and one of them is a getter that loads all of Node's `fetch`,
 * which takes as long as loading half of this program.
 */
export const { createServer, get, request } = http;
