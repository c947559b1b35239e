import { Injectable } from '@nestjs/common';
import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import { HubError, notFound } from '../../../domain/errors/index.js';
import { DEFAULT_CHOICE, nextDigestAt, type DigestSpan } from '../../../domain/notices/index.js';
import { recordAudit } from '../../../platform/audit/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import {
  mailStreams,
  notificationChoices,
  users,
  workspaces,
  type Database,
  type Transaction,
} from '../../../platform/database/index.js';
import { InjectClock, InjectDatabase } from '../../../platform/nest/index.js';
import { scopedTo, UsersService, type Principal, type User } from '../../tenancy/index.js';
import { DIGEST } from '../mail-streams.js';
import type { ChoiceBody, PreferencesView, UpdatePreferences } from './preferences.dto.js';

/** Which mails people get. Somebody with a key of their own chooses for themselves, an admin for anybody. */
@Injectable()
export class PreferencesService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
    private readonly people: UsersService,
  ) {}

  async getOwn(principal: Principal): Promise<PreferencesView> {
    return this.show(await this.own(principal));
  }

  async setOwn(principal: Principal, given: UpdatePreferences): Promise<PreferencesView> {
    return this.change(principal, await this.own(principal), given);
  }

  async get(principal: Principal, userId: string): Promise<PreferencesView> {
    return this.show(await this.people.get(principal, userId));
  }

  async set(principal: Principal, userId: string, given: UpdatePreferences): Promise<PreferencesView> {
    return this.change(principal, await this.people.get(principal, userId), given);
  }

  private async own({ userId }: Principal): Promise<User> {
    if (userId === undefined) {
      throw new HubError(
        'FORBIDDEN',
        'This API key belongs to no person. Use one that was made with a userId, or /users/{id}/notifications.',
      );
    }
    const [user] = await this.db.select().from(users).where(eq(users.id, userId));
    if (!user) throw notFound('user', userId);
    return user;
  }

  private async change(principal: Principal, user: User, given: UpdatePreferences): Promise<PreferencesView> {
    const { choices, digestEvery } = given;
    if (choices) {
      refuseTwice(choices);
      await this.requireWorkspaces(principal, user, choices);
    }
    await this.db.transaction(async (tx) => {
      const [locked] = await tx.select().from(users).where(eq(users.id, user.id)).for('update');
      if (!locked) throw notFound('user', user.id);
      if (digestEvery) await this.changeSpan(tx, locked, digestEvery);
      if (choices) await replaceChoices(tx, user.id, choices);
      const { id, workspaceId, organizationId } = locked;
      await recordAudit(tx, {
        action: 'user.notifications.set',
        object: { type: 'user', id },
        workspaceId,
        organizationId,
        changes: {
          ...(digestEvery ? { digestEvery: { from: locked.digestEvery, to: digestEvery } } : {}),
          ...(choices ? { choices: { to: choices } } : {}),
        },
      });
    });
    const [changed] = await this.db.select().from(users).where(eq(users.id, user.id));
    return this.show(changed ?? user);
  }

  /** A digest that waits for the next day comes within the hour where somebody asks for it every hour. */
  private async changeSpan(tx: Transaction, user: User, digestEvery: DigestSpan): Promise<void> {
    await tx.update(users).set({ digestEvery }).where(eq(users.id, user.id));
    const nextAt = nextDigestAt(digestEvery, this.clock.now());
    const own = tx
      .select({ id: workspaces.id })
      .from(workspaces)
      .where(eq(workspaces.organizationId, user.organizationId));
    await tx
      .update(mailStreams)
      .set({ nextMailAt: sql`least(${mailStreams.nextMailAt}, ${nextAt.toISOString()}::timestamptz)` })
      .where(
        and(
          inArray(mailStreams.workspaceId, own),
          eq(mailStreams.recipient, user.email.toLowerCase()),
          eq(mailStreams.bundle, DIGEST),
          sql`${mailStreams.nextMailAt} is not null`,
        ),
      );
  }

  /** Choices are for workspaces that the person gets mail of and the caller may see. */
  private async requireWorkspaces(principal: Principal, user: User, choices: readonly ChoiceBody[]) {
    const wanted = new Set(choices.flatMap(({ workspaceId }) => workspaceId ?? []));
    if (wanted.size === 0) return;
    const found = await this.db
      .select({ id: workspaces.id })
      .from(workspaces)
      .where(
        and(
          inArray(workspaces.id, [...wanted]),
          eq(workspaces.organizationId, user.organizationId),
          user.workspaceId ? eq(workspaces.id, user.workspaceId) : undefined,
          scopedTo(principal, workspaces.id),
        ),
      );
    for (const { id } of found) wanted.delete(id);
    const [missing] = wanted;
    if (missing !== undefined) throw notFound('workspace', missing);
  }

  private async show({ id, digestEvery }: User): Promise<PreferencesView> {
    const choices = await this.db
      .select({
        workspaceId: notificationChoices.workspaceId,
        kind: notificationChoices.kind,
        choice: notificationChoices.choice,
      })
      .from(notificationChoices)
      .where(eq(notificationChoices.userId, id))
      .orderBy(asc(notificationChoices.workspaceId), asc(notificationChoices.kind));
    return { userId: id, digestEvery, choices, otherwise: DEFAULT_CHOICE };
  }
}

async function replaceChoices(
  tx: Transaction,
  userId: string,
  choices: readonly ChoiceBody[],
): Promise<void> {
  await tx.delete(notificationChoices).where(eq(notificationChoices.userId, userId));
  if (choices.length === 0) return;
  const rows = choices.map(({ workspaceId, kind, choice }) => ({
    userId,
    workspaceId: workspaceId ?? null,
    kind,
    choice,
  }));
  await tx.insert(notificationChoices).values(rows);
}

function refuseTwice(choices: readonly ChoiceBody[]): void {
  const seen = new Set<string>();
  for (const [index, { workspaceId, kind }] of choices.entries()) {
    const of = `${workspaceId ?? 'every workspace'} ${kind}`;
    if (seen.has(of)) {
      throw new HubError('VALIDATION_FAILED', `There are two choices for ${kind} of the same workspace.`, [
        { field: `choices.${index}`, message: 'must be the only one of its workspace and kind' },
      ]);
    }
    seen.add(of);
  }
}
