import type { ServerResponse } from 'node:http';
import { answerText, type Handler } from './http.ts';
import { PageFiles, type PageFile } from './page-files.ts';
import type { Endpoint } from './routes.ts';

/** Nothing but our own files and feed; no HTML out of text, not even by mistake (Trusted Types); in nobody's frame. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const headers = {
  'Content-Security-Policy': contentSecurityPolicy,
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** `/`: the live page. It holds no data, so whoever lacks the token gets it too, with 401: it asks for the token. */
export function pageEndpoints(): Record<string, Endpoint> {
  const files = new PageFiles();
  const page =
    (status: number): Handler =>
    (_, response) => {
      response.setHeader('Cache-Control', 'no-store');
      send(response, status, files.find('index.html')!);
    };
  return {
    '/': { GET: page(200), withoutToken: page(401) },
    '/page/<file>': { open: true, GET: sendFile(files) },
  };
}

function sendFile(files: PageFiles): Handler {
  return (request, response, params) => {
    const file = files.find(params['file']!);
    if (file === undefined) return answerText(response, 404, 'the live page has no such file');
    response.setHeader('Cache-Control', 'no-cache').setHeader('ETag', file.etag);
    if (request.headers['if-none-match'] === file.etag) response.writeHead(304, headers).end();
    else send(response, 200, file);
  };
}

function send(response: ServerResponse, status: number, { contentType, body }: PageFile): void {
  response.writeHead(status, { ...headers, 'Content-Type': contentType }).end(body);
}
