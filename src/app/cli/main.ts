import { runCli } from './run-cli.js';

// Ends also where something that never answered is still waited for.
process.exit(await runCli(process.argv.slice(2), process.env));
