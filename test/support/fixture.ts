import { once } from 'node:events';
import { join } from 'node:path';
import { startChild } from './child.ts';
import type { Child } from './child.ts';
import { CHECKOUT } from './gateway.ts';

/** A backend in a process of its own, which can be frozen. */
export interface Fixture extends Child {
  readonly url: string;
}

/** Starts a script of `test/fixtures/` that prints its port as soon as it listens; throws with its output when it ends before. */
export async function startFixture(script: string): Promise<Fixture> {
  const args = ['--disable-warning=ExperimentalWarning', join(CHECKOUT, 'test/fixtures', script)];
  const child = startChild(process.execPath, args, { cwd: CHECKOUT });
  await Promise.race([once(child.process.stdout!, 'data'), child.exited]);
  const port = /^\d+/.exec(child.output())?.[0];
  if (port === undefined) throw new Error(`${script} did not start:\n${child.output()}`);
  return { ...child, url: `ws://127.0.0.1:${port}` };
}
