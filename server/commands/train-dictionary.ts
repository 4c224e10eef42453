import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDictionary, type Dictionary } from '../../codec/dictionary.ts';

const tailChars = 2_000;
const leastBlockBytes = 32;
// The quick trainer (`--train` alone) takes an eighth of the time, and what it makes packs up to 5 % worse.
const trainer = ['-q', '-3', '--train-cover=d=8,steps=8'];

export interface TrainingOptions {
  /** Most bytes of the dictionary. */
  readonly maxBytes: number;
  /** Without one the dictionary gets an id made from its content. */
  readonly id: number | undefined;
  /** Ends the training early. */
  readonly signal: AbortSignal;
}

/**
 * Lets the `zstd` command train a dictionary. The samples lie in a temporary folder that only this user can read and that is
 * gone when the promise is settled. Rejects with WSLUICE_TRAIN and a reason for people, and with an AbortError.
 */
export async function trainDictionary(
  samples: readonly Uint8Array[],
  options: TrainingOptions,
): Promise<Dictionary> {
  const folder = mkdtempSync(join(tmpdir(), 'wsluice-train-'));
  const [all, out] = [join(folder, 'samples'), join(folder, 'dictionary')];
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  // For an end in which nothing is waited for.
  process.once('exit', removeFolder);
  try {
    writeFileSync(all, Buffer.concat(samples));
    const id = options.id === undefined ? [] : [`--dictID=${options.id}`];
    const limits = [`--maxdict=${options.maxBytes}`, ...id];
    await runZstd([...trainer, ...limits, `-B${blockBytes(samples)}`, all, '-o', out], options.signal);
    return parseDictionary(readFileSync(out));
  } finally {
    process.off('exit', removeFolder);
    removeFolder();
  }
}

/**
 * The tool wants one file per sample, or one that it cuts into blocks: with blocks as long as the mean sample the dictionary
 * is as good, within 2 %, and no disk has to take 20,000 files.
 */
function blockBytes(samples: readonly Uint8Array[]): number {
  const total = samples.reduce((sum, { length }) => sum + length, 0);
  return Math.max(leastBlockBytes, Math.round(total / samples.length));
}

async function runZstd(args: readonly string[], signal: AbortSignal): Promise<void> {
  const zstd = spawn('zstd', args, { stdio: ['ignore', 'ignore', 'pipe'], signal });
  let said = '';
  zstd.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-tailChars)));
  const code = await new Promise<number | null>((resolve, reject) => {
    zstd.once('error', reject);
    zstd.once('close', resolve);
  }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw trainFault(
      'the zstd command is not installed; it trains the dictionary: apt-get install zstd, brew install zstd',
    );
  });
  if (code !== 0)
    throw trainFault(`zstd could not train a dictionary: ${said.trim() || `exit code ${code}`}`);
}

function trainFault(reason: string): Error {
  return Object.assign(new Error(reason), { code: 'WSLUICE_TRAIN' });
}
