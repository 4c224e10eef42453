import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseDictionary } from '../codec/dictionary.ts';
import { createZstd } from '../codec/zstd.ts';
import { startChild } from './support/child.ts';
import { eventually } from './support/eventually.ts';
import { CHECKOUT } from './support/gateway.ts';
import { wsluiceCommand } from './support/program/wsluice.ts';
import { tempDir } from './support/temp-dir.ts';

interface Trained {
  readonly code: number | string;
  readonly output: string;
  readonly file: string;
  /** What is left in the folder for temporary files. */
  readonly leftOver: readonly string[];
}

const messages = corpus('train');

function corpus(half: string): string[] {
  return globSync(join(CHECKOUT, `loadtest/corpus/${half}/*.ndjson`))
    .sort()
    .flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'));
}

function startTraining(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const folder = tempDir();
  const temp = join(folder, 'tmp');
  mkdirSync(temp);
  const file = join(folder, 'dict.zst');
  const [node, main] = wsluiceCommand();
  const child = startChild(node, [main, 'train', '--out', file, ...args], {
    env: { TMPDIR: temp, ...env },
    openStdin: true,
  });
  return { child, file, temp };
}

async function train(
  lines: readonly string[],
  args: readonly string[] = [],
  env?: Readonly<Record<string, string>>,
): Promise<Trained> {
  const { child, file, temp } = startTraining(args, env);
  child.process.stdin!.end(lines.join('\n'));
  const code = await child.exited;
  return { code, output: child.output(), file, leftOver: readdirSync(temp) };
}

it('makes a dictionary that packs other messages to much less than without it', async () => {
  const { code, output, file, leftOver } = await train(messages, ['--max-bytes', '8192']);
  expect(code, output).toBe(0);
  expect(leftOver).toEqual([]);
  const dictionary = parseDictionary(readFileSync(file));
  expect(dictionary.bytes.length).toBeLessThanOrEqual(8_192);
  const [without, withIt] = [[], [dictionary]].map((dictionaries) => {
    const codec = createZstd({ zstd: { level: 3, dictionaries } });
    return corpus('test')
      .filter((text) => text.length < 400)
      .reduce((sum, text) => sum + codec.encode(Buffer.from(text)).length, 0);
  });
  expect(without! / withIt!).toBeGreaterThan(1.4);
});

it('says what it read, what it made, what that gains, and what it gives away', async () => {
  const { output, file } = await train([...messages, '"broken'], ['--id', '40001']);
  expect(output).toMatch(/^read 541 lines, 206\.\d KB; left out 1 that are unreadable$/m);
  expect(output).toContain(`wrote ${file}: 16,384 bytes, dictionary id 40001`);
  expect(output).toMatch(
    /gain on 54 messages it has not seen: .*\(\d\.\d\d×\) without.*\(\d\.\d\d×\) with it/,
  );
  expect(output).toContain(
    'warning: the dictionary contains pieces of these messages, and every client can fetch it',
  );
  expect(parseDictionary(readFileSync(file)).id).toBe(40_001);
});

it('says how to install zstd where it is missing', async () => {
  const empty = tempDir();
  const { code, output, file, leftOver } = await train(messages, [], { PATH: empty });
  expect(code).toBe(1);
  expect(output).toMatch(/^train: the zstd command is not installed.*apt-get install zstd/m);
  expect(output).not.toMatch(/^\s+at /m);
  expect({ leftOver, made: existsSync(file) }).toEqual({ leftOver: [], made: false });
});

it('passes on what zstd says when it fails', async () => {
  const bin = tempDir();
  symlinkSync('/bin/false', join(bin, 'zstd'));
  const { code, output, leftOver } = await train(messages, [], { PATH: bin });
  expect(code).toBe(1);
  expect(output).toMatch(/^train: zstd could not train a dictionary: exit code 1$/m);
  expect(leftOver).toEqual([]);
});

it('leaves nothing behind when it is interrupted while it reads or trains', async () => {
  for (const phase of ['reading', 'training']) {
    const { child, file, temp } = startTraining(phase === 'reading' ? [] : ['--max-bytes', '131072']);
    const stdin = child.process.stdin!;
    stdin.on('error', () => undefined);
    stdin.write(`${messages.join('\n')}\n`);
    if (phase === 'reading') stdin.write('"');
    else
      stdin.end(
        Array.from({ length: 12 }, (_, i) => messages.map((text) => `${text}${i}`).join('\n')).join('\n'),
      );
    await eventually(() => {
      if (phase === 'training') expect(child.output()).toContain('training on');
      else expect(stdin.writableLength).toBe(0);
    });
    expect(await child.stop('SIGINT')).not.toBe(0);
    expect({ left: readdirSync(temp), made: existsSync(file) }, phase).toEqual({ left: [], made: false });
  }
});

it('says so when messages have so little in common that the dictionary makes them larger', async () => {
  const random = Array.from({ length: 400 }, (_, i) =>
    createHash('sha256').update(`${i}`).digest('base64url'),
  );
  const { code, output } = await train(random);
  expect(code, output).toBe(0);
  expect(output).toContain('warning: it makes messages no smaller');
});
