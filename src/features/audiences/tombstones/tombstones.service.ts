import { Injectable } from '@nestjs/common';
import { and, asc, eq, isNotNull } from 'drizzle-orm';
import { notFound } from '../../../domain/errors/index.js';
import { recordAudit } from '../../../platform/audit/index.js';
import { inputs, sources, type Database } from '../../../platform/database/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';
import { mapPage, readPage, type Page, type PageQuery } from '../../http/index.js';
import { scopedTo, type Principal } from '../../tenancy/index.js';
import type { TombstoneView } from './tombstones.dto.js';

/** Source keys that make no audience any more, because theirs was deleted while the file stayed. */
@Injectable()
export class TombstonesService {
  constructor(@InjectDatabase() private readonly db: Database) {}

  async list(principal: Principal, inputId: string, query: PageQuery): Promise<Page<TombstoneView>> {
    await this.requireInput(principal, inputId);
    const where = and(eq(sources.inputId, inputId), isNotNull(sources.tombstonedAt));
    const page = await readPage(query, this.db.$count(sources, where), (limit, offset) =>
      this.db.select().from(sources).where(where).orderBy(asc(sources.key)).limit(limit).offset(offset),
    );
    return mapPage(page, ({ key, tombstonedAt }) => ({
      key,
      tombstonedAt: tombstonedAt?.toISOString() ?? '',
    }));
  }

  /** The next scan takes the file up again, changed or not. NOT_FOUND where the key is not barred. */
  async lift(principal: Principal, inputId: string, key: string): Promise<void> {
    const workspaceId = await this.requireInput(principal, inputId);
    await this.db.transaction(async (tx) => {
      const lifted = await tx
        .update(sources)
        .set({ tombstonedAt: null, audienceId: null, revision: '' })
        .where(and(eq(sources.inputId, inputId), eq(sources.key, key), isNotNull(sources.tombstonedAt)))
        .returning({ id: sources.id });
      if (lifted.length === 0) throw notFound('tombstone', 'of this key');
      await recordAudit(tx, {
        action: 'input.tombstones.lift',
        object: { type: 'input', id: inputId },
        workspaceId,
        changes: { key: { to: key } },
      });
    });
  }

  /** The input's workspace. */
  private async requireInput(principal: Principal, inputId: string): Promise<string> {
    const [row] = await this.db
      .select({ workspaceId: inputs.workspaceId })
      .from(inputs)
      .where(and(eq(inputs.id, inputId), scopedTo(principal, inputs.workspaceId)));
    if (!row) throw notFound('input', inputId);
    return row.workspaceId;
  }
}
