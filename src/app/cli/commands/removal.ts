import { EXIT, type ExitCode } from '../cli-error.js';
import { audienceIdOf, type Session } from './command.js';
import { lookWhile } from './look-while.js';
import { isUnwell, linesOfRemoval, type Fault, type Removal } from './removal-lines.js';

export interface RemovalOptions {
  wait?: boolean;
}

interface AudienceRemoval {
  audienceId: number;
  name: string;
  deletedAt: string;
  finishedAt: string | null;
  connections: {
    id: string;
    output: string;
    variant?: string;
    status: string;
    removal: Removal;
    counts: { accepted: number; rejected: number } | null;
    fault: Fault | null;
  }[];
}

/** `hub removal AUDIENCE`: what became of a deleted audience at the partners. */
export async function showRemovalOf(
  { client, screen }: Session,
  audience: string,
  { wait = false }: RemovalOptions,
): Promise<ExitCode> {
  const look = () => client.get<AudienceRemoval>(`/audiences/${audienceIdOf(audience)}/removal`);
  const first = await look();
  const seen = wait ? await lookWhile(first, look, isUnderWay) : first;
  screen.result(seen, linesOf(seen));
  return seen.connections.some(({ removal, fault }) => isUnwell(removal, fault)) ? EXIT.bad : EXIT.done;
}

/** Until each is at its end, or stopped by a fault. */
function isUnderWay({ connections }: AudienceRemoval): boolean {
  return connections.some(({ status, fault }) => status === 'removing' && fault === null);
}

function linesOf({ audienceId, name, deletedAt, finishedAt, connections }: AudienceRemoval): string[] {
  const end = finishedAt === null ? 'its removals are under way' : `its removals ended at ${finishedAt}`;
  return [
    `Audience ${audienceId} (${name}) was deleted at ${deletedAt}; ${end}.`,
    ...connections.flatMap(({ id, output, variant, status, removal, counts, fault }) => {
      const to = `${output}${variant === undefined ? '' : `, variant ${variant}`}`;
      return [
        ...linesOfRemoval(`Connection ${id} to ${to}`, { status, removal, fault }),
        ...(counts ? [`Taken out: ${counts.accepted}, refused: ${counts.rejected}.`] : []),
      ];
    }),
  ];
}
