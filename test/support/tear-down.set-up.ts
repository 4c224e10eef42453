import { afterAll } from 'vitest';
import { tearDown } from './tear-down.ts';

// Vitest runs this for each test file, even in a process that others ran in before, where it loads no other module again.
afterAll(tearDown);
