import { vi } from 'vitest';

/** Runs `check` again and again until it does not throw, and gives its result; after `withinMs` throws its last fault. */
export function eventually<T>(check: () => T | Promise<T>, withinMs = 8_000): Promise<T> {
  return vi.waitFor(check, { timeout: withinMs, interval: 15 });
}
