import { Connection } from './connection.ts';
import { failureOf } from './failure.ts';
import type { FlowContext, Step } from './flow-context.ts';
import type { Connect } from './verbs.ts';

/** Opens the client's connection, when it is its turn. */
export function connectStep(
  connect: Connect,
  { target, telemetry, settings, gateTo, crowd }: FlowContext,
): Step {
  const urls = [connect.url ?? target].flat().map((url) => withPath(url, connect.path));
  const options = {
    ...connect,
    codec: connect.codec,
    timeoutMs: settings.timeout * 1_000,
    onDropped: (kind: string, stalled: boolean) => crowd.tell({ type: 'dropped', kind, stalled }),
  };
  const name = connect.as ?? 'clients';
  return async (user) => {
    const url = urls[user.number % urls.length]!;
    user.connection = undefined;
    try {
      user.connection = await gateTo(url).pass(() => Connection.open({ ...options, url }, telemetry));
      crowd.tell({ type: 'wave', name, failure: null });
    } catch (error) {
      crowd.tell({ type: 'wave', name, failure: failureOf(error).kind });
      throw error;
    }
  };
}

function withPath(url: string, path: string | undefined): string {
  return path === undefined ? url : new URL(path, url).href;
}
