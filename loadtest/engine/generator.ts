import { pathToFileURL } from 'node:url';
import type { Generator } from './message-maker.ts';

type Shape = Readonly<Record<'utf8' | 'binary', unknown>>;

/** Loads a file in the shape of thor's generators. Throws when it cannot be, or lacks what is needed. */
export async function loadGenerator(file: string, isBinary: boolean): Promise<Generator> {
  let loaded: Partial<Shape> & { default?: Partial<Shape> };
  try {
    loaded = (await import(pathToFileURL(file).href)) as typeof loaded;
  } catch (error) {
    throw new Error(`the generator ${file} cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
  const name = isBinary ? 'binary' : 'utf8';
  const made = loaded[name] ?? loaded.default?.[name];
  if (typeof made !== 'function')
    throw new Error(`the generator ${file} exports no function ${name}(size, fn)`);
  return made as Generator;
}

/** Returns the generator of a file for text or binary messages; each is loaded once. */
export function generatorOf(file: string): (isBinary: boolean) => Promise<Generator> {
  const loaded = new Map<boolean, Promise<Generator>>();
  return (isBinary) => {
    const generator = loaded.get(isBinary) ?? loadGenerator(file, isBinary);
    loaded.set(isBinary, generator);
    return generator;
  };
}
