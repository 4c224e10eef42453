import { syncBuiltinESMExports } from 'node:module';

type Exit = (code?: number | string | null) => never;

/**
 * A generator that ends the process would end all that is measured without a word: from now on `onExit` hears why, whoever calls
 * `process.exit`, unless `isOurs` is true of the file and line that it was called from. Returns what ends the process all the same.
 */
export function guardExit(
  generator: string,
  onExit: (reason: string) => void,
  isOurs: (caller: string) => boolean = () => false,
): Exit {
  const exit: Exit = process.exit.bind(process);
  const guarded = (code?: number | string | null): unknown => {
    const caller = new Error().stack?.split('\n')[2] ?? '';
    if (isOurs(caller)) return exit(code);
    onExit(`the generator ${generator} called process.exit(${code ?? ''}): it is to call done(error, data)`);
    return exit(1);
  };
  process.exit = guarded as Exit;
  // For those that import `exit` by its name.
  syncBuiltinESMExports();
  return exit;
}
