import { threadId } from 'node:worker_threads';
import { Failure } from './failure.ts';
import { compileFlow } from './flow.ts';
import type { ArtilleryHelpers, FlowContext, Step, VirtualUser } from './flow-context.ts';
import { Crowd } from './crowd.ts';
import { Gate } from './gate.ts';
import { generatorOf } from './generator.ts';
import { guardExit } from './generator-exit.ts';
import { MessageMaker } from './message-maker.ts';
import { Telemetry, type ArtilleryEvents } from './telemetry.ts';
import { streamTelemetry, telemetryWriter, tellFault, type TelemetryStream } from './telemetry-stream.ts';
import { checked, engineSettings, type EngineSettings } from './verbs.ts';

interface Script {
  readonly config: {
    readonly target: string;
    readonly engines: { readonly wsluice?: unknown };
    readonly processor?: Readonly<Record<string, unknown>>;
  };
}

interface ScenarioSpec {
  readonly name?: string;
  readonly flow: readonly Readonly<Record<string, unknown>>[];
}

type Scenario = (context: Record<string, unknown>, done: (error: unknown, context: unknown) => void) => void;

/** What artillery loads for `engine: wsluice`: clients that time and check every reply, and speak wsluice's codecs. README.md has the verbs. */
export default class WsluiceEngine {
  readonly #script: Script;
  readonly #helpers: ArtilleryHelpers;
  readonly #settings: EngineSettings;
  #shared: FlowContext | undefined;
  #stream: TelemetryStream | undefined;
  #clients = 0;
  #underWay = 0;

  constructor(script: Script, _events: unknown, helpers: ArtilleryHelpers) {
    this.#script = script;
    this.#helpers = helpers;
    this.#settings = orFault(() =>
      checked(engineSettings, script.config.engines.wsluice, 'config.engines.wsluice'),
    );
  }

  createScenario(spec: ScenarioSpec, artillery: ArtilleryEvents): Scenario {
    const shared = this.#share(artillery);
    const steps = orFault(() => compileFlow(spec.flow, shared));
    return (context, done) => {
      artillery.emit('started');
      if (this.#settings.clients > 0 && this.#clients >= this.#settings.clients) {
        done(null, context);
        return;
      }
      const user: VirtualUser = { number: this.#clients++, context, connection: undefined };
      this.#underWay++;
      live(user, steps, shared.telemetry)
        .finally(() => {
          shared.crowd.end(user.number);
          if (--this.#underWay === 0) this.#stream?.onIdle();
        })
        .then(
          () => done(null, context),
          (error: unknown) => done(error, context),
        );
    };
  }

  #share(artillery: ArtilleryEvents): FlowContext {
    if (this.#shared !== undefined) return this.#shared;
    const worker = `${process.pid}:${threadId}`;
    const telemetry = new Telemetry({ worker, artillery, expected: new Set(this.#settings.expected) });
    this.#stream = streamTelemetry(telemetry);
    const gates = new Map<string, Gate>();
    const { generator } = this.#settings;
    if (generator !== undefined) guardExit(generator, tellFault, isArtillery);
    this.#shared = {
      crowd: new Crowd(telemetryWriter()),
      ...{ telemetry, artillery, settings: this.#settings, helpers: this.#helpers },
      target: this.#script.config.target,
      processor: this.#script.config.processor ?? {},
      maker: new MessageMaker(),
      generatorFor: generator === undefined ? () => undefined : generatorOf(generator),
      gateTo: (url) => {
        const gate = gates.get(url) ?? new Gate(this.#settings.connectsAtOnce);
        gates.set(url, gate);
        return gate;
      },
    };
    return this.#shared;
  }
}

/** One client from its first step to its last; its connection does not outlive it. */
async function live(user: VirtualUser, steps: readonly Step[], telemetry: Telemetry): Promise<void> {
  try {
    for (const step of steps) await step(user);
  } catch (error) {
    // A failure was counted where it happened; anything else is the scenario's fault, or a bug.
    if (!(error instanceof Failure)) telemetry.failed(new Failure((error as Error).message));
    throw error;
  } finally {
    await user.connection?.close();
  }
}

/** It ends its workers in that way. */
function isArtillery(caller: string): boolean {
  return /[\\/]node_modules[\\/]artillery[\\/]/.test(caller);
}

/** artillery ends without a word when an engine throws. */
function orFault<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    tellFault((error as Error).message);
    throw error;
  }
}
