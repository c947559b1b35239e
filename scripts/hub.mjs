#!/usr/bin/env node
/** `npx hub …`: the command line. Builds first where nothing is built yet. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

const main = join(root, 'dist', 'src', 'app', 'cli', 'main.js');
if (!existsSync(main)) await prepare();
await import(pathToFileURL(main).href);
