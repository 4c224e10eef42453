#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import type { TopOptions } from './commands/top.ts';
import type { TrainFlags } from './commands/train.ts';
import { addServeOptions, type FlagValues } from './config/flags.ts';
import { packageVersion } from './package-version.ts';

const trainHelp = `
One message a line. A line that is a JSON string stands for its text, any other line for itself.
Up to 4 MB of messages are used, spread over the whole input; a tenth of them only measures the gain.
The dictionary contains pieces of the messages, and every client can fetch it.`;

// Each command is loaded when it is run: the others need not wait for it, nor have what it needs.
const program = new Command('wsluice')
  .description('PgBouncer for WebSockets: many client connections over a small pool of upstream ones')
  .version(packageVersion)
  .showHelpAfterError('(wsluice --help shows what there is)')
  .exitOverride();

const serve = addServeOptions(
  program.command('serve', { isDefault: true }).description('run the gateway (the default command)'),
);
serve.exitOverride().action(async (flags: FlagValues) => {
  const { runServe } = await import('./commands/serve.ts');
  process.exitCode = await runServe({ flags, env: process.env });
});

program
  .command('check')
  .description('validate a config file: exit 0, or 1 with every fault')
  .argument('<file>', 'YAML or JSON')
  .exitOverride()
  .action(async (file: string) => {
    const { runCheck } = await import('./commands/check.ts');
    process.exitCode = runCheck(file, { stdout: process.stdout, stderr: process.stderr });
  });

addServeOptions(program.command('doctor'))
  .description(
    'say what this machine can hold, and what to change: exit 0 when the configured clients fit, else 1',
  )
  .option('--json', 'for programs')
  .option('--pid <n>', 'the limits of a gateway that runs, not those of this shell')
  .exitOverride()
  .action(async ({ json = false, pid, ...flags }: FlagValues & { json?: boolean; pid?: string }) => {
    const { runDoctor } = await import('./commands/doctor.ts');
    const { readRuntime } = await import('./doctor/runtime.ts');
    const { stdout, stderr, env } = process;
    process.exitCode = runDoctor({ flags, env, json, pid, runtime: await readRuntime(), stdout, stderr });
  });

addServeOptions(program.command('ready'))
  .description('ask a gateway on this machine whether it is ready: exit 0 when it is, else 1 with the reason')
  .option('--wait <seconds>', 'how long it may take', '0')
  .exitOverride()
  .action(async ({ wait, ...flags }: FlagValues & { wait: string }) => {
    const { runReady } = await import('./commands/ready.ts');
    const { stdout, stderr, env } = process;
    process.exitCode = await runReady({ flags, env, wait, stdout, stderr });
  });

program
  .command('top')
  .description('show what a running gateway does, second by second; once where there is no terminal')
  .option('--admin <url>', 'its admin listener; by default where serve would open it')
  .option(
    '--token <token>',
    'its admin.token; better given by WSLUICE_ADMIN_TOKEN, which no list of processes shows',
  )
  .option('-c, --config <file>', 'the file that it runs with')
  .option('--admin-host <address>', 'as for serve')
  .option('--admin-port <n>', 'as for serve')
  .option('--once', 'print one second and end')
  .exitOverride()
  .action(async (flags: TopOptions['flags']) => {
    const { runTop } = await import('./commands/top.ts');
    const { stdin, stdout, stderr, env } = process;
    process.exitCode = await runTop({ flags, env, stdin, stdout, stderr });
  });

program
  .command('echo')
  .description('a WebSocket echo and JSON-RPC back end to try things against')
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--port <n>', 'port to listen on; 0 takes any free one', '9001')
  .exitOverride()
  .action(async (options: { host: string; port: string }) => {
    const { runEcho } = await import('./commands/echo.ts');
    process.exitCode = await runEcho({ ...options, env: process.env });
  });

program
  .command('train')
  .description('make a zstd dictionary of real messages, read from standard input')
  .requiredOption('--out <file>', 'where to write it')
  // By measurement: 8 KiB packs 5 % worse, 32 KiB 2 % better, and all clients fetch it.
  .option('--max-bytes <n>', 'its largest size', '16384')
  .option(
    '--id <n>',
    'its id, never one that was used before; one below 65536 makes each message 2 bytes shorter',
  )
  .option('--force', 'write over a file that exists')
  .addHelpText('after', trainHelp)
  .exitOverride()
  .action(async (flags: TrainFlags) => {
    const interrupted = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
    const { runTrain } = await import('./commands/train.ts');
    const { stdin, stdout, stderr } = process;
    process.exitCode = await runTrain({ flags, stdin, stdout, stderr, signal: interrupted.signal });
  });

program.addHelpText('after', () => `\nOptions of serve:\n${optionLines(serve)}`);

try {
  await program.parseAsync();
} catch (error) {
  // commander has said what is wrong already; help and version are no failures.
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode;
}

function optionLines(command: Command): string {
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter((option) => option.long !== '--help');
  const width = Math.max(...options.map((option) => help.optionTerm(option).length));
  return options
    .map((option) => help.formatItem(help.optionTerm(option), width, option.description, help))
    .join('\n');
}
