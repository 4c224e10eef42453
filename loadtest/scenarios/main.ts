import { main } from './command.ts';
import '../stand/outlive-readers.ts';

// What still waits for something when the run has failed must not keep the process alive.
process.exit(await main(process.argv.slice(2)));
