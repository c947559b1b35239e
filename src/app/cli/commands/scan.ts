import { CliError, EXIT, type ExitCode } from '../cli-error.js';
import type { Session } from './command.js';

export interface Scan {
  listed: number;
  unchanged: number;
  queued: string[];
  refused: string[];
  tombstoned: number;
}

interface Input {
  id: string;
  name: string;
  enabled: boolean;
}

type Outcome = { inputId: string; name: string } & ({ scan: Scan } | { error: string });

/** `hub scan [INPUT]`: one input, or all that are enabled; one that cannot be listed does not stop the others. */
export async function scanInputs(
  { client, screen }: Session,
  inputId: string | undefined,
): Promise<ExitCode> {
  const inputs: Input[] = [];
  if (inputId !== undefined) inputs.push(await client.get<Input>(`/inputs/${encodeURIComponent(inputId)}`));
  else for await (const input of client.all<Input>('/inputs')) if (input.enabled) inputs.push(input);
  const outcomes: Outcome[] = [];
  for (const { id, name } of inputs) {
    const scan = await client.post<Scan>(`/inputs/${id}/scan`).catch((error: unknown) => {
      if (error instanceof CliError && error.exitCode === EXIT.refused) return error.message;
      throw error;
    });
    outcomes.push({ inputId: id, name, ...(typeof scan === 'string' ? { error: scan } : { scan }) });
  }
  const lines = outcomes.map((outcome) => `${outcome.name}: ${said(outcome)}`);
  screen.result(outcomes, lines.length > 0 ? lines : ['There are no inputs.']);
  return outcomes.some((outcome) => 'error' in outcome) ? EXIT.bad : EXIT.done;
}

function said(outcome: Outcome): string {
  if ('error' in outcome) return `not listed. ${outcome.error}`;
  const { listed, unchanged, queued, refused, tombstoned } = outcome.scan;
  const parts = [
    `${listed} files`,
    `${queued.length} queued`,
    `${unchanged} unchanged`,
    `${refused.length} refused`,
  ];
  return [...parts, ...(tombstoned > 0 ? [`${tombstoned} tombstoned`] : [])].join(', ');
}
