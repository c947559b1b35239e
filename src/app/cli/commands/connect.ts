import { CliError, EXIT, type ExitCode } from '../cli-error.js';
import { audienceIdOf, type Session } from './command.js';

export interface ConnectOptions {
  output: string;
  variant?: string[];
  settings?: string;
  attributes?: string;
  inactive?: boolean;
}

interface Connected {
  connected: {
    id: string;
    audienceId: number;
    audienceName: string;
    variantName: string | null;
    status: string;
  }[];
  failed: { audienceId: number | null; variantId: string | null; code: string; message: string }[];
}

/** `hub connect [AUDIENCE…]`: audiences and variants to one output; each succeeds or fails by itself. */
export async function connectAudiences(
  { client, screen }: Session,
  audiences: string[],
  options: ConnectOptions,
): Promise<ExitCode> {
  const result = await client.post<Connected>('/connections/bulk', {
    audienceIds: audiences.map(audienceIdOf),
    variantIds: options.variant ?? [],
    outputId: options.output,
    settings: settingsOf(options.settings),
    attributes: options.attributes?.split(',').map((name) => name.trim()) ?? [],
    status: options.inactive ? 'inactive' : 'active',
  });
  screen.result(result, [
    ...result.connected.map(
      ({ id, audienceId, audienceName, variantName, status }) =>
        `${audienceId} ${audienceName}${variantName === null ? '' : ` - ${variantName}`}: connected (${status}), ${id}`,
    ),
    ...result.failed.map(
      ({ audienceId, variantId, code, message }) =>
        `${variantId ?? audienceId ?? ''}: not connected. ${code}: ${message}`,
    ),
  ]);
  return result.failed.length > 0 ? EXIT.bad : EXIT.done;
}

function settingsOf(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError('--settings is no JSON: expected an object, such as {"tag":"vip"}.', EXIT.usage);
  }
}
