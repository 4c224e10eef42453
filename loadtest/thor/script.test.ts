import { expect, it } from 'vitest';
import type { ThorOptions } from './options.ts';
import { workerScripts } from './script.ts';

const options: ThorOptions = {
  ...{ urls: ['ws://a/', 'ws://b/'], amount: 10, concurrent: 5, messages: 4, protocol: 13, bufferBytes: 64 },
  ...{ workers: 3, generator: undefined, binary: false, masked: false, codec: 'zstd', method: undefined },
  ...{ reply: 'echo', timeoutS: 30, timeoutChosen: false, insecure: false },
  ...{ jsonFile: undefined, reportFile: undefined },
};

interface Script {
  readonly config: {
    readonly engines: { readonly wsluice: { readonly clients: number; readonly connectsAtOnce: number } };
    readonly phases: readonly { readonly arrivalCount: number }[];
  };
  readonly scenarios: readonly { readonly flow: readonly unknown[] }[];
}

it('shares connections, and those opened at once, out among the workers', () => {
  const scripts = workerScripts(options);
  expect(scripts.map(({ clients }) => clients)).toEqual([8, 6, 6]);
  const engines = scripts.map(({ script }) => (script as Script).config.engines.wsluice);
  expect(engines.map(({ connectsAtOnce }) => connectsAtOnce)).toEqual([2, 2, 1]);
  expect(engines.map(({ clients }) => clients)).toEqual([8, 6, 6]);
});

it('has a client for each arrival that connects, asks and says goodbye', () => {
  const { config, scenarios } = workerScripts(options)[0]!.script as Script;
  expect(config.phases[0]!.arrivalCount).toBe(8);
  expect(scenarios[0]!.flow).toEqual([
    { connect: { url: options.urls, protocolVersion: 13, insecure: false, codec: 'zstd' } },
    { send: { count: 4, bytes: 64, binary: false, jsonRpc: false, reply: 'echo' } },
    { close: true },
  ]);
});
