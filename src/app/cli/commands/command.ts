import { Option, type Command } from 'commander';
import { CliError, EXIT, type ExitCode } from '../cli-error.js';
import { HubClient } from '../hub-client.js';
import { Screen } from '../screen.js';

/** Options that every command takes. */
export interface CommonOptions {
  json?: boolean;
}

interface HubOptions extends CommonOptions {
  url: string;
  key?: string;
}

/** What a command that speaks with the hub gets. */
export interface Session {
  client: HubClient;
  screen: Screen;
}

/** Adds --json. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print the result as one JSON document');
}

/** Adds --json, --url and --key, with what the environment says as defaults. */
export function withHub(command: Command, env: NodeJS.ProcessEnv): Command {
  const url = new Option('--url <url>', 'where the hub is').env('HUB_URL');
  const key = new Option('--key <key>', 'API key').env('HUB_KEY');
  return withJson(command)
    .addOption(url.default(`http://127.0.0.1:${env.PORT ?? '3000'}`))
    .addOption(key);
}

/** The session that a command's options ask for. */
export function openSession(options: HubOptions): Session {
  if (!options.key) {
    throw new CliError('An API key is needed: set HUB_KEY, or give --key.', EXIT.usage);
  }
  if (!URL.canParse(options.url)) {
    throw new CliError('--url (or HUB_URL) is no URL: expected http://host:port.', EXIT.usage);
  }
  const client = new HubClient(options.url.replace(/\/+$/, ''), options.key);
  return { client, screen: new Screen(options.json ?? false) };
}

/** Every command returns what the process ends with. */
export type Run = () => Promise<ExitCode>;

/** An audience as somebody names it on the command line. */
export function audienceIdOf(text: string): number {
  const id = Number(text);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new CliError(`${text} is no audience id: expected a number, as hub audiences lists it.`, EXIT.usage);
}
