import { Command, CommanderError, Option } from 'commander';
import { hubVersion } from '../../platform/package-root.js';
import { CliError, EXIT, type ExitCode } from './cli-error.js';
import { listAudiences, type AudiencesOptions } from './commands/audiences.js';
import { openSession, withHub, withJson, type CommonOptions } from './commands/command.js';
import { connectAudiences, type ConnectOptions } from './commands/connect.js';
import { disconnect, type DisconnectOptions } from './commands/disconnect.js';
import { LAYOUTS } from './commands/drop-file.js';
import { leave, type EraseOptions } from './commands/erase.js';
import { exportAudiences, type ExportOptions } from './commands/export.js';
import { listFaults, resumeFault } from './commands/faults.js';
import type { ProfileDiffOptions } from './commands/profile-diff.js';
import type { ImportOptions } from './commands/import.js';
import { planConnection, type PlanOptions } from './commands/plan.js';
import { preflightFile, type PreflightOptions } from './commands/preflight.js';
import { reconcileConnection, type ReconcileOptions } from './commands/reconcile.js';
import { showRemovalOf, type RemovalOptions } from './commands/removal.js';
import { scanInputs } from './commands/scan.js';
import { Screen } from './screen.js';

type HubOptions = Parameters<typeof openSession>[0];

const EXIT_HELP = `
Environment: HUB_URL is where the hub is, HUB_KEY the API key.

Exit codes: 0 done; 1 tried, and the outcome is bad (an import failed or is held, a file is unusable, an
export failed, doctor found something); 2 wrong usage; 3 the hub did not answer; 4 the hub refused.`;

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
  withJson(
    program.command('profile').description('normalisation profiles').command('diff <first> <second> <file>'),
  )
    .description(
      'show where two normalisation profiles make different things of a file; it is read here, by no hub',
    )
    .option('--region <region>', 'ISO 3166 alpha-2 of phone numbers without country code')
    .action(
      async (first: string, second: string, file: string, options: CommonOptions & ProfileDiffOptions) => {
        const { diffProfiles } = await import('./commands/profile-diff.js');
        ended(await diffProfiles(new Screen(options.json ?? false), [first, second], file, options));
      },
    );
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
  withHub(program.command('preflight <file>'), env)
    .description('check a file as its import would, and write nothing')
    .requiredOption('--workspace <workspace>', 'id, seat id or name')
    .addOption(
      new Option('--layout <layout>', 'layout of the drop').choices([...LAYOUTS]).makeOptionMandatory(),
    )
    .option('--audience <id>', 'the audience that it would refresh; without it, it is the first file of one')
    .addOption(new Option('--on-unknown <what>', 'unknown people').choices(['create', 'reject']))
    .action(async (file: string, options: HubOptions & PreflightOptions) =>
      ended(await preflightFile(openSession(options), file, options)),
    );
  withHub(program.command('scan [input]'), env)
    .description('have inputs scanned now: the one with this id, or all')
    .action(async (input: string | undefined, options: HubOptions) =>
      ended(await scanInputs(openSession(options), input)),
    );
  withHub(program.command('audiences'), env)
    .description('list audiences with their metrics')
    .option('--workspace <workspace>', 'id, seat id or name')
    .option('--search <text>', 'part of the name')
    .option('--tag <tag...>', 'only those that have all of these tags')
    .option('--sort <order>', 'name, created, updated or size; with - before it: descending')
    .action(async (options: HubOptions & AudiencesOptions) =>
      ended(await listAudiences(openSession(options), options)),
    );
  withHub(program.command('connect [audience...]'), env)
    .description('connect audiences, and variants of A/B tests, to one output')
    .requiredOption('--output <output>', 'id of the output')
    .option('--variant <variant...>', 'ids of variants, each connected by itself')
    .option('--settings <json>', 'settings of the connections, as JSON')
    .option('--attributes <names>', 'comma list of attributes that go with the identities')
    .option('--inactive', 'send nothing until the connections are activated')
    .action(async (audiences: string[], options: HubOptions & ConnectOptions) =>
      ended(await connectAudiences(openSession(options), audiences, options)),
    );
  withHub(program.command('disconnect <connection>'), env)
    .description('delete a connection: what it had sent is removed at the partner')
    .option('--wait', 'until that is done, or stopped by a fault')
    .option('--force', 'leave at the partner what it has; for admins')
    .action(async (connection: string, options: HubOptions & DisconnectOptions) =>
      ended(await disconnect(openSession(options), connection, options)),
    );
  withHub(program.command('removal <audience>'), env)
    .description('what became of a deleted audience at the partners')
    .option('--wait', 'until all of it is done, or stopped by a fault')
    .action(async (audience: string, options: HubOptions & RemovalOptions) =>
      ended(await showRemovalOf(openSession(options), audience, options)),
    );
  withHub(program.command('plan <connection>'), env)
    .description('count what a connection would send, and send nothing')
    .option('--apply <plan>', 'send what this plan says, if nothing has changed since')
    .action(async (connection: string, options: HubOptions & PlanOptions) =>
      ended(await planConnection(openSession(options), connection, options)),
    );
  withHub(program.command('reconcile <connection>'), env)
    .description('compare what the partner says it has with what the hub counts as accepted there')
    .option('--backfill', 'also send all members again, once')
    .action(async (connection: string, options: HubOptions & ReconcileOptions) =>
      ended(await reconcileConnection(openSession(options), connection, options)),
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
  addLeaving(program, env, ended);
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

/** `erase` and `suppress`, which differ in what the hub keeps. */
function addLeaving(program: Command, env: NodeJS.ProcessEnv, ended: (code: ExitCode) => void): void {
  const commands = [
    ['erase', '/erasures', 'take people out of every audience and partner, and forget them'],
    ['suppress', '/suppressions', 'take people out of every audience and partner, and keep them out'],
  ] as const;
  for (const [name, path, description] of commands) {
    withHub(program.command(`${name} [file]`), env)
      .description(description)
      .requiredOption('--workspace <workspace>', 'id, seat id or name')
      .option('--identity <type=value...>', 'instead of a file; stays in the history of your shell')
      .addOption(new Option('--layout <layout>', 'layout of the file; iqm if absent').choices([...LAYOUTS]))
      .action(async (file: string | undefined, options: HubOptions & EraseOptions) =>
        ended(await leave(openSession(options), path, file, options)),
      );
  }
}

function sayError(error: CliError, json: boolean): void {
  const { message, code, lines, exitCode } = error;
  const text = json
    ? JSON.stringify({ error: { code, message, lines, exitCode } })
    : [code ? `${code}: ${message}` : message, ...lines.map((line) => `  ${line}`)].join('\n');
  process.stderr.write(`${text}\n`);
}
