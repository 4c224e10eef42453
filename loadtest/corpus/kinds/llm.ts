import { itemsOf } from '../kind.ts';
import type { Kind } from '../kind.ts';
import type { World } from '../world.ts';

/** Token streams of language models, chunk by chunk; large messages are conversations and embeddings. */
export const llm: Kind = {
  name: 'llm',
  small: (world) => world.random.pick([chatChunk, chatChunk, chatChunk, blockDelta, toolChunk, usage])(world),
  large: (world, bytes) => world.random.pick([conversation, conversation, embedding])(world, bytes * 0.97),
};

function chunk(world: World, delta: object, finish: string | null): object {
  const { random, words } = world;
  const choice = { index: 0, delta, logprobs: null, finish_reason: finish };
  return {
    ...{ id: `chatcmpl-${random.token(29)}`, object: 'chat.completion.chunk' },
    ...{ created: Math.floor(world.nowMs() / 1000), model: random.pick(words.models) },
    ...{ system_fingerprint: `fp_${random.hex(10)}`, choices: [choice] },
  };
}

function chatChunk(world: World): object {
  const words = world.sentence().split(' ');
  const start = world.random.whole(0, words.length - 1);
  const content = ` ${words.slice(start, start + world.random.whole(1, 4)).join(' ')}`;
  return chunk(world, { content }, null);
}

function blockDelta(world: World): object {
  const text = ` ${world.sentence().split(' ').slice(2, 6).join(' ')}`;
  return {
    type: 'content_block_delta',
    index: world.random.whole(0, 3),
    delta: { type: 'text_delta', text },
  };
}

function toolChunk(world: World): object {
  const { random, words } = world;
  const called = { name: random.pick(words.tools), arguments: `{"path":"${world.file()}"` };
  const tool = { index: 0, id: `call_${random.token(24)}`, type: 'function', function: called };
  return chunk(world, { tool_calls: [tool] }, null);
}

function usage(world: World): object {
  const { random } = world;
  const [prompt, completion] = [random.whole(200, 90_000), random.whole(5, 4_000)];
  const counts = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
  return { ...chunk(world, {}, random.pick(['stop', 'length', 'tool_calls'])), usage: counts };
}

function conversation(world: World, bytes: number): object {
  const { random, words } = world;
  const system = { role: 'system', content: world.sentences(2) };
  const turns = itemsOf(bytes, () => [
    { role: 'user', content: world.sentences(random.whole(1, 3)) },
    { role: 'assistant', content: `${world.sentences(random.whole(2, 5))}\n\n${snippet(world)}` },
  ]);
  const settings = { temperature: random.whole(0, 10) / 10, max_tokens: 4096, stream: true };
  return { model: random.pick(words.models), ...settings, messages: [system, ...turns.flat()] };
}

function snippet(world: World): string {
  const lines = Array.from({ length: world.random.whole(2, 6) }, () => world.codeLine());
  return `\`\`\`ts\n${lines.join('\n')}\n\`\`\``;
}

function embedding(world: World, bytes: number): object {
  const values = itemsOf(bytes, () => Number((world.random.next() - 0.5).toFixed(8)));
  const usageOf = { prompt_tokens: world.random.whole(4, 400) };
  return { object: 'list', data: [{ object: 'embedding', index: 0, embedding: values }], usage: usageOf };
}
