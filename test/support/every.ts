import { onTearDown } from './tear-down.ts';

/** Does something now and every `ms` until the test file ends; what it throws or rejects with is let pass. */
export function every(ms: number, action: () => unknown): void {
  const act = (): void =>
    void Promise.resolve()
      .then(action)
      .catch(() => undefined);
  act();
  const timer = setInterval(act, ms);
  onTearDown(() => clearInterval(timer));
}
