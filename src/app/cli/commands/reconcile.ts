import { EXIT, type ExitCode } from '../cli-error.js';
import type { Session } from './command.js';

export interface ReconcileOptions {
  backfill?: boolean;
}

interface Connection {
  id: string;
  reconciliation: {
    verdict: string;
    of: string;
    version: number;
    hub: number | null;
    partner: number | null;
    tolerance: number | null;
    problem: { code: string; message: string } | null;
  } | null;
}

/** Reasons why there is no count that are nothing bad. */
const HARMLESS = ['COUNT_UNSUPPORTED', 'NOTHING_DELIVERED'];

/** `hub reconcile CONNECTION`: 1 where the counts do not agree or the partner did not answer. */
export async function reconcileConnection(
  { client, screen }: Session,
  connectionId: string,
  options: ReconcileOptions,
): Promise<ExitCode> {
  const path = `/connections/${encodeURIComponent(connectionId)}/reconcile`;
  const connection = await client.post<Connection>(path, { backfill: options.backfill ?? false });
  screen.result(connection, linesOf(connection, options));
  const code = connection.reconciliation?.problem?.code;
  return code === undefined || HARMLESS.includes(code) ? EXIT.done : EXIT.bad;
}

function linesOf({ id, reconciliation }: Connection, { backfill }: ReconcileOptions): string[] {
  const { verdict, of, version, hub, partner, tolerance, problem } = reconciliation ?? {};
  const counts =
    verdict === 'uncounted'
      ? []
      : [
          `Version ${version}: the partner has ${partner} ${of}, the hub counts ${hub} (± ${tolerance}): ${verdict}.`,
        ];
  return [
    `Connection ${id}`,
    ...counts,
    ...(problem ? [`${problem.code}: ${problem.message}`] : []),
    ...(backfill === true ? ['All members are sent once more.'] : []),
  ];
}
