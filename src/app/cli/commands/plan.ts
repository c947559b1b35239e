import { EXIT, type ExitCode } from '../cli-error.js';
import type { Session } from './command.js';

export interface PlanOptions {
  apply?: string;
}

interface Counted {
  members: number;
}

interface Plan {
  id: string;
  connectionId: string;
  fromVersion: number;
  toVersion: number;
  underWay: { deliveryId: string; toVersion: number; left: number | null } | null;
  members: number;
  skipped: number;
  operations: (Counted & {
    operation: string;
    requests: number;
    skipped: (Counted & { code: string })[];
    identities: (Counted & { type: string })[];
  })[];
  requests: number;
  estimatedSeconds: number | null;
  expiresAt: string;
  deliveryId: string | null;
}

/** `hub plan CONNECTION`: what it would send; with --apply it sends what that plan says. */
export async function planConnection(
  { client, screen }: Session,
  connectionId: string,
  options: PlanOptions,
): Promise<ExitCode> {
  const path = `/connections/${encodeURIComponent(connectionId)}/plan`;
  if (options.apply !== undefined) {
    const plan = await client.post<Plan>(`${path}/apply`, { planId: options.apply });
    const begun =
      plan.deliveryId === null ? 'There is nothing new to send.' : `Delivery ${plan.deliveryId} begins.`;
    screen.result(plan, [`Connection ${plan.connectionId} is active. ${begun}`]);
    return EXIT.done;
  }
  const plan = await client.post<Plan>(path);
  screen.result(plan, linesOf(plan));
  return EXIT.done;
}

function linesOf(plan: Plan): string[] {
  const { id, connectionId, fromVersion, toVersion, underWay, members, skipped, requests } = plan;
  const time = plan.estimatedSeconds === null ? 'of unknown length' : `in about ${plan.estimatedSeconds} s`;
  return [
    ...(underWay
      ? [
          `Delivery ${underWay.deliveryId} to version ${underWay.toVersion} ends first (${underWay.left ?? '?'} members left).`,
        ]
      : []),
    `From version ${fromVersion} to ${toVersion}: ${members} members, of whom ${skipped} are not sent; ${requests} requests ${time}.`,
    ...plan.operations.map(({ operation, members: of, requests: batches, skipped: left, identities }) => {
      const parts = [
        `${batches} batches`,
        ...identities.map((one) => `${one.members} with ${one.type}`),
        ...left.map((one) => `${one.members} skipped: ${one.code}`),
      ];
      return `  ${operation} ${of}: ${parts.join(', ')}`;
    }),
    `Nothing was sent. To send it: hub plan ${connectionId} --apply ${id} (until ${plan.expiresAt}).`,
  ];
}
