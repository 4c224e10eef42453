import { afterAll } from 'vitest';

type TearDown = () => Promise<void> | void;

const pending: TearDown[] = [];

/** Runs `tearDown` when the test file that started the part ends, last started first; every one runs even if another throws. */
export function onTearDown(tearDown: TearDown): void {
  pending.push(tearDown);
}

afterAll(async () => {
  const faults: unknown[] = [];
  for (const tearDown of pending.splice(0).reverse()) {
    try {
      await tearDown();
    } catch (fault) {
      faults.push(fault);
    }
  }
  if (faults.length > 0) throw new AggregateError(faults, `${faults.length} parts did not stop`);
});
