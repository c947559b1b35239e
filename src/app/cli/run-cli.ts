import { Command, CommanderError, Option } from 'commander';
import { hubVersion } from '../../platform/package-root.js';
import { CliError, EXIT, type ExitCode } from './cli-error.js';
import { listAudiences, type AudiencesOptions } from './commands/audiences.js';
import { openSession, withHub, withJson, type CommonOptions } from './commands/command.js';
import { LAYOUTS } from './commands/drop-file.js';
import { exportAudiences, type ExportOptions } from './commands/export.js';
import { listFaults, resumeFault } from './commands/faults.js';
import type { ImportOptions } from './commands/import.js';
import { scanInputs } from './commands/scan.js';
import { Screen } from './screen.js';

type HubOptions = Parameters<typeof openSession>[0];

const EXIT_HELP = `
Environment: HUB_URL is where the hub is, HUB_KEY the API key.

Exit codes: 0 done; 1 tried, and the outcome is bad (an import failed or is held, an export failed, doctor
found something); 2 wrong usage; 3 the hub did not answer; 4 the hub refused.`;

/** Runs the command line `args` (without node and script) and returns what the process ends with. */
export async function runCli(args: readonly string[], env: NodeJS.ProcessEnv): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  const program = commandsOf(env, (code) => (exitCode = code));
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (error instanceof CliError) {
      sayError(error, args.includes('--json'));
      return error.exitCode;
    }
    throw error;
  }
}

function commandsOf(env: NodeJS.ProcessEnv, ended: (code: ExitCode) => void): Command {
  const program = new Command('hub')
    .description('Works with an audience hub from the command line.')
    .version(hubVersion)
    .addHelpText('after', EXIT_HELP)
    .exitOverride();
  withJson(program.command('doctor'))
    .description('look at everything the hub stands on, with this environment')
    .action(async (options: CommonOptions) => {
      // What needs the libraries of the database or of S3 loads them alone.
      const { examine } = await import('./commands/doctor.js');
      ended(await examine(new Screen(options.json ?? false), env));
    });
  withHub(program.command('import <file>'), env)
    .description('put a file into a folder-drop input, wait for it and give the account of its rows')
    .requiredOption('--workspace <workspace>', 'id, seat id or name')
    .addOption(
      new Option('--layout <layout>', 'layout of the drop').choices([...LAYOUTS]).makeOptionMandatory(),
    )
    .option('--name <name>', "name of the audience; the file's name if absent")
    .option('--input <input>', 'id or name of the input, where the workspace has several')
    .option('--folder <path>', 'make an input that watches this folder, where the workspace has none')
    .action(async (file: string, options: HubOptions & ImportOptions) => {
      const { importFile } = await import('./commands/import.js');
      ended(await importFile(openSession(options), file, options));
    });
  withHub(program.command('scan [input]'), env)
    .description('have inputs scanned now: the one with this id, or all')
    .action(async (input: string | undefined, options: HubOptions) =>
      ended(await scanInputs(openSession(options), input)),
    );
  withHub(program.command('audiences'), env)
    .description('list audiences with their metrics')
    .option('--workspace <workspace>', 'id, seat id or name')
    .option('--search <text>', 'part of the name')
    .option('--sort <order>', 'name, created, updated or size; with - before it: descending')
    .action(async (options: HubOptions & AudiencesOptions) =>
      ended(await listAudiences(openSession(options), options)),
    );
  withHub(program.command('faults'), env)
    .description('list open faults')
    .option('--all', 'resolved ones too')
    .action(async (options: HubOptions & { all?: boolean }) =>
      ended(await listFaults(openSession(options), options)),
    );
  withHub(program.command('resume <fault>'), env)
    .description('resolve a fault: its connection goes on from where it stopped')
    .action(async (fault: string, options: HubOptions) =>
      ended(await resumeFault(openSession(options), fault)),
    );
  withHub(program.command('export <audience...>'), env)
    .description('download audiences as a ZIP of CSVs')
    .requiredOption('--identity-types <types>', 'comma list, such as email,phone')
    .requiredOption('--out <file>', 'where the ZIP is written')
    .option('--neutralise-formulas', 'put an apostrophe before cells that a spreadsheet would run')
    .action(async (audiences: string[], options: HubOptions & ExportOptions) =>
      ended(await exportAudiences(openSession(options), audiences, options)),
    );
  return program;
}

function sayError(error: CliError, json: boolean): void {
  const { message, code, lines, exitCode } = error;
  const text = json
    ? JSON.stringify({ error: { code, message, lines, exitCode } })
    : [code ? `${code}: ${message}` : message, ...lines.map((line) => `  ${line}`)].join('\n');
  process.stderr.write(`${text}\n`);
}
