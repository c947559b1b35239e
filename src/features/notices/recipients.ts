import { Injectable } from '@nestjs/common';
import { and, eq, inArray, isNull, or, sql, type SQL } from 'drizzle-orm';
import {
  CHOSEN_AS,
  DEFAULT_CHOICE,
  moreEager,
  type DigestSpan,
  type NoticeChoice,
  type NoticeKind,
} from '../../domain/notices/index.js';
import { notificationChoices, users, workspaces, type Transaction } from '../../platform/database/index.js';
import { NOBODY } from '../outbox/index.js';

/** Somebody who is to be told, and how. */
export interface Recipient {
  /** A mail address in small letters, or {@link NOBODY}. */
  address: string;
  choice: NoticeChoice;
  digestEvery: DigestSpan;
}

const ADDRESS = sql<string>`lower(${users.email})`;

/** Who is told of what happens in a workspace. */
@Injectable()
export class Recipients {
  /**
   * The admins of the workspace and of its organization with what they chose, or whoever has one of `addresses`.
   * Where there is nobody at all, {@link NOBODY}; an address of no user is told at once.
   */
  async of(
    tx: Transaction,
    workspaceId: string,
    kind: NoticeKind,
    addresses?: readonly string[],
  ): Promise<Recipient[]> {
    const wanted = addresses?.map((address) => address.toLowerCase());
    const rows = await this.rows(tx, workspaceId, kind, wanted ? inArray(ADDRESS, wanted) : isAdmin());
    const found = new Map<string, Recipient>();
    for (const { address, choice, digestEvery } of rows) {
      const other = found.get(address);
      const eager = other ? moreEager(choice, other.choice) : choice;
      found.set(address, {
        address,
        choice: eager,
        digestEvery: other?.digestEvery === 'hour' ? 'hour' : digestEvery,
      });
    }
    const strangers = (wanted ?? [NOBODY]).filter((address) => !found.has(address));
    if (wanted === undefined && found.size > 0) return [...found.values()];
    return [
      ...found.values(),
      ...strangers.map((address): Recipient => ({ address, choice: DEFAULT_CHOICE, digestEvery: 'day' })),
    ];
  }

  /** False where `address` belongs to nobody any more who may know of the workspace. */
  async mayKnow(tx: Transaction, workspaceId: string, address: string, asAdmin: boolean): Promise<boolean> {
    if (address === NOBODY) return true;
    const condition = and(eq(ADDRESS, address), asAdmin ? isAdmin() : undefined);
    const [row] = await tx
      .select({ id: users.id })
      .from(users)
      .innerJoin(workspaces, eq(workspaces.organizationId, users.organizationId))
      .where(and(of(workspaceId), condition))
      .limit(1);
    return row !== undefined;
  }

  private rows(tx: Transaction, workspaceId: string, kind: NoticeKind, who: SQL | undefined) {
    const other = CHOSEN_AS[kind];
    // Of the kind itself before that of the other, and of the workspace before that of all.
    const chosen = tx
      .select({ choice: notificationChoices.choice })
      .from(notificationChoices)
      .where(
        and(
          eq(notificationChoices.userId, users.id),
          or(isNull(notificationChoices.workspaceId), eq(notificationChoices.workspaceId, workspaces.id)),
          inArray(notificationChoices.kind, other === undefined ? [kind] : [kind, other]),
        ),
      )
      .orderBy(sql`${notificationChoices.kind} <> ${kind}`, sql`${notificationChoices.workspaceId} is null`)
      .limit(1);
    return tx
      .select({
        address: ADDRESS,
        digestEvery: users.digestEvery,
        choice: sql<NoticeChoice>`coalesce((${chosen}), ${DEFAULT_CHOICE})`,
      })
      .from(users)
      .innerJoin(workspaces, eq(workspaces.organizationId, users.organizationId))
      .where(and(of(workspaceId), who))
      .orderBy(ADDRESS);
  }
}

function isAdmin(): SQL {
  return eq(users.role, 'admin');
}

/** Users of the workspace, and of its organization as a whole. */
function of(workspaceId: string): SQL | undefined {
  return and(
    eq(workspaces.id, workspaceId),
    or(isNull(users.workspaceId), eq(users.workspaceId, workspaceId)),
  );
}
