import type { LiveHistorySample, LiveSample } from '../../server/live/live-sample.ts';
import { EventReader } from '../../server/top/event-reader.ts';
import { onTearDown } from './tear-down.ts';

/** Somebody who watches a gateway. */
export interface LiveView {
  /** What was remembered when this began, then all samples since. */
  seconds(): readonly LiveHistorySample[];
  /** The last one with its pools; undefined until there is one. */
  latest(): LiveSample | undefined;
  /** The sum of a rate over all seconds: how often it happened. */
  total(rateOf: (second: LiveHistorySample) => number): number;
}

/** Follows /api/live until the test file ends. */
export async function followLive({ adminUrl }: { readonly adminUrl: string }): Promise<LiveView> {
  const stop = new AbortController();
  onTearDown(() => stop.abort());
  const response = await fetch(`${adminUrl}/api/live`, { signal: stop.signal });
  if (response.status !== 200 || response.body === null) throw new Error(`refused with ${response.status}`);
  const seconds: LiveHistorySample[] = [];
  let latest: LiveSample | undefined;
  const read = async (): Promise<void> => {
    const reader = new EventReader();
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      for (const { event, data } of reader.push(text)) {
        if (event === 'history') seconds.push(...(JSON.parse(data) as LiveHistorySample[]));
        else seconds.push((latest = JSON.parse(data) as LiveSample));
      }
    }
  };
  void read().catch(() => undefined);
  return {
    seconds: () => seconds,
    latest: () => latest,
    total: (rateOf) => seconds.reduce((sum, second) => sum + (rateOf(second) * second.spanMs) / 1_000, 0),
  };
}
