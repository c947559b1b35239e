import { Injectable } from '@nestjs/common';
import { and, asc, eq } from 'drizzle-orm';
import { HubError } from '../../domain/errors/index.js';
import type { AccountRef } from '../../kit/index.js';
import { organizations, workspaces, type Database, type inputs } from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';

type Input = typeof inputs.$inferSelect;

/** Finds the workspace that a pushed file belongs to. */
@Injectable()
export class Accounts {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /**
   * The workspace, or PUSH_REFUSED. An account outside of what the input reaches is answered like one that does
   * not exist. Of several workspaces: the one with the seat id that was said, the input's own, the only one.
   */
  async workspaceOf(input: Input, ref: AccountRef): Promise<string> {
    if (ref.by === 'input') return input.workspaceId;
    const [own] = await this.db
      .select({ organizationId: workspaces.organizationId })
      .from(workspaces)
      .where(eq(workspaces.id, input.workspaceId));
    const seats = await this.db
      .select({ id: workspaces.id, seatId: workspaces.seatId, organizationId: organizations.id })
      .from(organizations)
      .innerJoin(workspaces, eq(workspaces.organizationId, organizations.id))
      .where(
        and(
          eq(organizations.externalId, ref.accountId),
          eq(organizations.id, own?.organizationId ?? input.id),
        ),
      )
      .orderBy(asc(workspaces.number));
    const reached =
      input.routing === 'workspace' ? seats.filter(({ id }) => id === input.workspaceId) : seats;
    if (reached.length === 0) throw unknownAccount(ref.accountId);
    const found =
      ref.seatId === undefined
        ? (reached.find(({ id }) => id === input.workspaceId) ??
          (reached.length === 1 ? reached[0] : undefined))
        : reached.find(({ seatId }) => seatId === ref.seatId);
    if (found === undefined) throw unknownSeat(ref);
    return found.id;
  }
}

function unknownAccount(accountId: string): HubError {
  return new HubError(
    'PUSH_REFUSED',
    `No organization that this input reaches has the account id "${accountId}". Expected the externalId of its organization; correct the name, or set the externalId.`,
  );
}

function unknownSeat({ accountId, seatId }: { accountId: string; seatId?: string }): HubError {
  return new HubError(
    'PUSH_REFUSED',
    `The input leads the account "${accountId}" to the seat "${seatId}", which its organization does not have. Correct the seats in the input's settings.`,
  );
}
