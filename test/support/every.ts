import { onTearDown } from './tear-down.ts';

/**
 * Does something now and every `ms` until the test file ends, but not while it is still at it; what it throws or rejects with
 * is let pass.
 */
export function every(ms: number, action: () => unknown): void {
  let isActing = false;
  const act = async (): Promise<void> => {
    if (isActing) return;
    isActing = true;
    try {
      await action();
    } catch {
      // The next time may go better.
    }
    isActing = false;
  };
  void act();
  const timer = setInterval(() => void act(), ms);
  onTearDown(() => clearInterval(timer));
}
