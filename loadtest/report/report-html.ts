import type { RunResult } from '../result/run-result.ts';

/** Returns the report of a run: one HTML file that asks nobody for anything. */
export function reportHtml(result: RunResult): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<title>${escaped(result.title)}</title>
<h1>${escaped(result.title)}</h1>
<pre>${escaped(JSON.stringify(result, null, 2))}</pre>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
