type TearDown = () => Promise<void> | void;

const pending: TearDown[] = [];

/** Runs `stop` when the test file that started the part ends, last started first; every one runs even if another throws. */
export function onTearDown(stop: TearDown): void {
  pending.push(stop);
}

/** Stops what was started and is still there. */
export async function tearDown(): Promise<void> {
  const faults: unknown[] = [];
  for (const stop of pending.splice(0).reverse()) {
    try {
      await stop();
    } catch (fault) {
      faults.push(fault);
    }
  }
  if (faults.length > 0) throw new AggregateError(faults, `${faults.length} parts did not stop`);
}
