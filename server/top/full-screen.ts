import type { ReadStream, WriteStream } from 'node:tty';
import type { ClientRank } from '../admin/clients-control.ts';
import { barsOf } from './look.ts';
import { fittedPicture } from './picture.ts';
import { Screen } from './screen.ts';
import { paint, type Look } from './spans.ts';
import type { TopState } from './top-state.ts';
import type { Watch } from './watch.ts';

export interface FullScreenOptions {
  readonly state: TopState;
  readonly watch: Watch;
  readonly look: Look;
  readonly output: WriteStream;
  /** Undefined where nobody types. */
  readonly input: ReadStream | undefined;
}

const ranks: Readonly<Record<string, ClientRank>> = { m: 'messages', b: 'bytes', i: 'inFlight' };
const ctrlC = '\x03';
const ctrlZ = '\x1a';

/** Shows a gateway on the whole terminal until somebody leaves. Throws a `TopFault` when it cannot be seen any more. */
export async function fullScreen({ state, watch, look, output, input }: FullScreenOptions): Promise<void> {
  const left = new AbortController();
  const leave = (): void => left.abort();
  const draw = (): void => {
    const { width, height } = screen;
    const picture = fittedPicture(state, { width, bars: barsOf(look) }, height);
    screen.draw(picture.map((line) => paint(line, width, look)));
  };
  const onKey = (key: string): void => {
    const rank = ranks[key];
    if (key === 'q' || key === ctrlC) leave();
    else if (key === ctrlZ) suspend(screen);
    else if (rank !== undefined) {
      state.sort = rank;
      // Should that fail, the stream says why.
      void watch.learn().catch(() => undefined);
    }
  };
  const screen = new Screen({ output, input, onKey, onResize: draw });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, leave);
  const resume = (): void => {
    screen.open();
    draw();
  };
  process.on('SIGCONT', resume);
  // A terminal that is gone.
  output.on('error', leave);
  input?.on('error', leave);
  const stopListening = watch.onChange(draw);
  try {
    screen.open();
    draw();
    await watch.follow(left.signal);
  } finally {
    stopListening();
    screen.close();
    for (const signal of signals) process.off(signal, leave);
    process.off('SIGCONT', resume);
  }
}

/** Gives the terminal back, and waits to be continued. */
function suspend(screen: Screen): void {
  screen.close();
  process.kill(process.pid, 'SIGTSTP');
}
