import { Injectable } from '@nestjs/common';
import { and, eq } from 'drizzle-orm';
import { HubError } from '../../../domain/errors/index.js';
import {
  audienceRemovals,
  type Database,
  type GoneConnection,
  type Transaction,
} from '../../../platform/database/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';
import {
  neverSent,
  readGoneConnections,
  showRemoval,
  type GoingConnection,
} from '../../connections/index.js';
import { scopedTo, type Principal } from '../../tenancy/index.js';
import { AudienceRecords, type Audience } from '../audience-records.js';
import type { AudienceRemovalView, GoneConnectionView } from './deletion.dto.js';

/** Tells what became of deleted audiences at the partners, for as long as their workspace is there. */
@Injectable()
export class AudienceRemovals {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly records: AudienceRecords,
  ) {}

  /** NOT_FOUND where there was no such audience or `principal` may not see it, WRONG_STATE where it is not deleted. */
  async get(principal: Principal, id: number): Promise<AudienceRemovalView> {
    // Before what was noted: what is cleaned up between the two looks is in both.
    const there = await readGoneConnections(this.db, id);
    const [noted] = await this.db
      .select()
      .from(audienceRemovals)
      .where(and(eq(audienceRemovals.audienceId, id), scopedTo(principal, audienceRemovals.workspaceId)));
    if (!noted) {
      await this.records.require(principal, id);
      const next = `DELETE /audiences/${id}?dryRun=true says what would become of what it sent.`;
      throw new HubError(
        'WRONG_STATE',
        `Audience ${id} is not deleted, so nothing of it is removed. ${next}`,
      );
    }
    const { workspaceId, name, deletedBy, deletedAt } = noted;
    const all = newest(noted.connections, there);
    return {
      audienceId: id,
      workspaceId,
      name,
      deletedBy,
      deletedAt: deletedAt.toISOString(),
      finishedAt: endOf(all, deletedAt)?.toISOString() ?? null,
      connections: all.map(show),
    };
  }
}

/** As part of the deletion, once its removals have begun. */
export async function noteRemovals(
  tx: Transaction,
  { id: audienceId, workspaceId, name }: Audience,
  { by, at, going }: { by: string; at: Date; going: readonly GoingConnection[] },
): Promise<void> {
  const unsent = going.filter(({ removal }) => removal.outcome === 'never_sent').map(neverSent);
  const row = { audienceId, workspaceId, name, deletedBy: by, deletedAt: at };
  await tx
    .insert(audienceRemovals)
    .values({ ...row, connections: [...(await readGoneConnections(tx, audienceId)), ...unsent] })
    .onConflictDoNothing();
}

/** As part of the clean-up: how the removals ended outlives the rows of the connections. */
export async function keepRemovals(tx: Transaction, audienceId: number): Promise<void> {
  const which = eq(audienceRemovals.audienceId, audienceId);
  const [noted] = await tx.select().from(audienceRemovals).where(which).for('update');
  if (!noted) return;
  const all = newest(noted.connections, await readGoneConnections(tx, audienceId));
  await tx.update(audienceRemovals).set({ connections: all }).where(which);
}

function newest(noted: readonly GoneConnection[], there: readonly GoneConnection[]): GoneConnection[] {
  const known = new Map(there.map((one) => [one.id, one]));
  return noted.map((one) => known.get(one.id) ?? (one.status === 'removed' ? one : withoutOutput(one)));
}

/** The row of one that is being removed goes before its end only where its output is deleted. */
function withoutOutput(one: GoneConnection): GoneConnection {
  const stays = [
    'What had not been taken out when the output was deleted: with it went the way to the partner.',
  ];
  return { ...one, status: 'removed', removal: { ...one.removal, outcome: 'given_up', stays }, fault: null };
}

/** When the last of them came to its end; undefined: not all did. */
function endOf(all: readonly GoneConnection[], deletedAt: Date): Date | undefined {
  if (all.some(({ status }) => status === 'removing')) return undefined;
  const ends = all.map(({ removal }) => momentOf(removal.finishedAt)?.getTime() ?? 0);
  return new Date(Math.max(deletedAt.getTime(), ...ends));
}

function show({ removal, ...rest }: GoneConnection): GoneConnectionView {
  const { since, finishedAt } = removal;
  return {
    ...rest,
    removal: showRemoval(removal, { since: momentOf(since), finishedAt: momentOf(finishedAt) }),
  };
}

function momentOf(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
