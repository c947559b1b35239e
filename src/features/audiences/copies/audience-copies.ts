import { Injectable } from '@nestjs/common';
import { and, count, eq, isNotNull, isNull } from 'drizzle-orm';
import { DEFAULT_AUDIENCE_LIMIT } from '../../../domain/audiences/index.js';
import { HubError } from '../../../domain/errors/index.js';
import { MAX_AUDIENCE_NAME_LENGTH } from '../../../domain/names/index.js';
import { recordAudit } from '../../../platform/audit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import {
  audiences,
  audienceVersions,
  workspaces,
  type Database,
  type Transaction,
} from '../../../platform/database/index.js';
import { Leases } from '../../../platform/lease/index.js';
import { InjectClock, InjectDatabase } from '../../../platform/nest/index.js';
import { Ledger } from '../../ledger/index.js';
import type { Principal } from '../../tenancy/index.js';
import { AudienceRecords, type Audience, type AudienceInWorkspace } from '../audience-records.js';
import { hiddenAudienceLease } from '../deletion/audience-clean-up.js';

const SUFFIX = ' (copy)';

/**
 * Duplicates audiences. A copy is born hidden, as if it were deleted, and one transaction at the end shows it
 * with its members at version 1; a copy whose process died in between is cleaned up like any deleted
 * audience.
 */
@Injectable()
export class AudienceCopies {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
    private readonly leases: Leases,
    private readonly ledger: Ledger,
    private readonly records: AudienceRecords,
  ) {}

  /** The id of the copy. Throws WRONG_STATE where there is no version yet, LIMIT_REACHED at the workspace's limit. */
  async duplicate(principal: Principal, id: number, name: string | undefined): Promise<number> {
    const original = await this.records.require(principal, id);
    const { audience } = original;
    if (audience.version === 0) {
      throw new HubError(
        'WRONG_STATE',
        'The audience has no version yet. Duplicate it after its first import.',
      );
    }
    const { suppressionsRevision } = original.workspace;
    const copyId = await this.begin(original, name ?? copyName(audience.name));
    await this.leases.exclusively(
      hiddenAudienceLease(copyId),
      new AbortController().signal,
      async ({ signal }) => {
        await this.ledger.copy(
          { audienceId: id, version: audience.version },
          { audienceId: copyId, version: 1 },
        );
        const { added } = await this.ledger.countsOf(copyId, 1);
        if (added !== audience.size) throw changedMeanwhile();
        signal.throwIfAborted();
        await this.publish(copyId, audience, suppressionsRevision);
      },
    );
    return copyId;
  }

  private begin({ audience, workspace }: AudienceInWorkspace, name: string): Promise<number> {
    return this.db.transaction(async (tx) => {
      await assertRoom(tx, workspace.id);
      const [copy] = await tx
        .insert(audiences)
        .values({
          workspaceId: workspace.id,
          name,
          // Segmented audiences are a list of their own, and their copies are managed there.
          kind: audience.kind === 'segmented' ? 'segmented' : 'copied',
          tags: audience.tags,
          deletedAt: this.clock.now(),
        })
        .returning({ id: audiences.id });
      if (!copy) throw new Error('The copy was not written.');
      return copy.id;
    });
  }

  /** @param suppressions `suppressionsRevision` of the workspace before the members were copied. */
  private async publish(
    copyId: number,
    { id, workspaceId, size }: Audience,
    suppressions: number,
  ): Promise<void> {
    const now = this.clock.now();
    await this.db.transaction(async (tx) => {
      const workspace = await assertRoom(tx, workspaceId);
      if (workspace?.suppressionsRevision !== suppressions) throw peopleLeft();
      const shown = await tx
        .update(audiences)
        .set({ deletedAt: null, version: 1, size, createdAt: now, updatedAt: now })
        .where(and(eq(audiences.id, copyId), isNotNull(audiences.deletedAt)))
        .returning({ id: audiences.id });
      if (shown.length === 0) throw changedMeanwhile();
      await tx
        .insert(audienceVersions)
        .values({ audienceId: copyId, version: 1, size, added: size, removed: 0, publishedAt: now });
      await recordAudit(tx, {
        action: 'audience.duplicate',
        object: { type: 'audience', id: copyId },
        workspaceId,
        changes: { copyOf: { to: id } },
      });
    });
  }
}

/** Locks the workspace, so that the limit holds for copies and imports side by side. */
async function assertRoom(tx: Transaction, workspaceId: string) {
  const [workspace] = await tx.select().from(workspaces).where(eq(workspaces.id, workspaceId)).for('update');
  const limit = workspace?.settings.audienceLimit ?? DEFAULT_AUDIENCE_LIMIT;
  const [held] = await tx
    .select({ n: count() })
    .from(audiences)
    .where(and(eq(audiences.workspaceId, workspaceId), isNull(audiences.deletedAt)));
  if ((held?.n ?? 0) < limit) return workspace;
  throw new HubError(
    'LIMIT_REACHED',
    `The workspace holds ${limit} audiences, its limit. Delete one or raise the limit.`,
  );
}

/** Whole characters, so that the suffix fits in. */
function copyName(name: string): string {
  return (
    Array.from(name)
      .slice(0, MAX_AUDIENCE_NAME_LENGTH - SUFFIX.length)
      .join('') + SUFFIX
  );
}

function peopleLeft(): HubError {
  const message = 'People were suppressed while the audience was copied. Duplicate it again.';
  return new HubError('WRONG_STATE', message);
}

function changedMeanwhile(): HubError {
  return new HubError('WRONG_STATE', 'The audience was deleted while it was copied.');
}
