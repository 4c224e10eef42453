import { expect, it } from 'vitest';
import { readEvents, type ServerEvent } from './read-events.ts';

async function eventsOf(...chunks: (string | Uint8Array)[]): Promise<ServerEvent[]> {
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk));
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of bytes) controller.enqueue(chunk);
      controller.close();
    },
  });
  const events: ServerEvent[] = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

it('reads events, wherever the network has cut them', async () => {
  const text = new TextEncoder().encode(
    'event: sample\ndata: {"größe":1}\n\ndata: a\r\ndata:b\r\n\r\n: a remark\n\n',
  );
  const whole = await eventsOf(text);
  expect(whole).toEqual([
    { event: 'sample', data: '{"größe":1}' },
    { event: 'message', data: 'a\nb' },
    { event: 'message', data: '' },
  ]);
  for (let cut = 1; cut < text.length; cut++) {
    expect(await eventsOf(text.slice(0, cut), text.slice(cut))).toEqual(whole);
  }
});

it('gives nothing of an event that is not complete', async () => {
  expect(await eventsOf('data: whole\n\ndata: half')).toEqual([{ event: 'message', data: 'whole' }]);
});

it('gives up on an event without an end', async () => {
  const mebibyte = 'x'.repeat(1 << 20);
  await expect(eventsOf('data: ', ...Array.from({ length: 9 }, () => mebibyte))).rejects.toThrow('too large');
});
