import { Script } from 'node:vm';
import { expect, it } from 'vitest';
import { pageScript } from './page-script.ts';
import { reportHtml } from './report-html.ts';
import { brokenRun } from './runs.fixture.ts';
import { scaleRun } from './scale-run.fixture.ts';

it('is one file that names no address but its own picture', () => {
  const html = reportHtml(scaleRun());
  expect(html.match(/<(script|link|img|iframe)[^>]*\b(src|href)="(?!data:)/g)).toBeNull();
  expect(html).toContain("default-src 'none'");
  expect(html).not.toContain("'unsafe-");
});

it('is small, for ten minutes too', () => {
  expect(reportHtml(scaleRun({ seconds: 600, gateways: 3 })).length).toBeLessThan(300_000);
});

it('holds data as data: nothing in it ends its element', () => {
  const html = reportHtml(brokenRun('</script><script>alert(1)</script><!--'));
  expect(html.match(/<script/g)).toHaveLength(3);
  expect(html).not.toContain('<!--');
});

it('has its modules in the order in which they need each other', () => {
  const script = pageScript();
  expect(() => new Script(script)).not.toThrow();
  expect(script.indexOf('const munit_text_ts')).toBeLessThan(script.indexOf('const mmain_ts'));
});
