/** `npm run build`: dist/ as it is published, JavaScript and types, with the files that are neither. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { compilePackage } from './compile.ts';

const dist = join(import.meta.dirname, '..', 'dist');
rmSync(dist, { recursive: true, force: true });
compilePackage(dist, { types: true });
