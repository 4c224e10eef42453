import { expect, it } from 'vitest';
import { shown } from './shown.ts';

it('is one line that steers no terminal, and has an end', () => {
  expect(shown('HTTP/1.1 404 Not Found\r\nServer: x\r\n\r\n')).toBe('HTTP/1.1 404 Not Found · Server: x');
  expect(shown('\x1b[2J\u202eé')).toBe('\ufffd[2J\ufffdé');
  expect(shown('a'.repeat(10_000))).toBe(`${'a'.repeat(200)} …`);
});
