import { LoaderProcess } from './loader-process.ts';
import type { LoaderCommand, LoaderOrder } from './messages.ts';

/** A process that holds many clients: `loader.ts <order>`. Loads are ordered, and figures told, over its IPC channel. */
const order = JSON.parse(process.argv[2]!) as LoaderOrder;
const loader = new LoaderProcess(order, (report) => process.send!(report));
process.on('message', (command: LoaderCommand) => loader.obey(command));
process.on('disconnect', () => process.exit(1));
// At once, but in order: a CPU profile is written at the end.
process.on('SIGTERM', () => process.exit(0));
