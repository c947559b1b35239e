import { Injectable } from '@nestjs/common';
import { and, desc, eq, isNull, or, sql } from 'drizzle-orm';
import { outbox, users, workspaces, type Database, type Transaction } from '../../platform/database/index.js';
import type { Mailer } from '../../platform/mail/index.js';
import { InjectDatabase, InjectMailer, InjectWorkQueue } from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import { readPage, type Page } from '../http/index.js';
import { scopedTo, type Principal } from '../tenancy/index.js';
import type { OutboxMail, OutboxQuery } from './outbox.dto.js';

/** Recipient of a mail that nobody was there for; it is kept for whoever reads the outbox. */
export const NOBODY = 'workspace-admins';

/** Kind and id of the hint that mails wait: one for all, since the sender takes what there is. */
export const SEND_HINT = { kind: 'outbox', id: 'send' } as const;

/** A mail to write. */
export interface Post {
  workspaceId: string;
  /** Names the occasion: posting it again, after a crash say, does nothing. */
  onceKey: string;
  subject: string;
  body: string;
  /** Addresses. Absent: the admins of the workspace and of its organization. */
  recipients?: readonly string[];
}

/** Mails that are to be sent, and without SMTP_URL the only copy of them. */
@Injectable()
export class OutboxService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectMailer() private readonly mailer: Mailer,
    @InjectWorkQueue() private readonly queue: WorkQueue,
  ) {}

  /**
   * Writes the mail, one row per recipient. Give the transaction of the change it tells of, so that there is
   * a mail exactly where the change was made; the sender finds it within a sweep, or at {@link nudge}.
   */
  async post(mail: Post, db: Database | Transaction = this.db): Promise<void> {
    const { workspaceId, onceKey, subject, body } = mail;
    const addresses = mail.recipients ?? (await this.adminsOf(workspaceId, db));
    const recipients = addresses.length > 0 ? [...new Set(addresses)] : [NOBODY];
    const state: OutboxMail['state'] = this.mailer.configured && addresses.length > 0 ? 'waiting' : 'kept';
    await db
      .insert(outbox)
      .values(
        recipients.map((recipient) => ({
          workspaceId,
          onceKey: `${onceKey}:${recipient}`,
          recipient,
          subject,
          body,
          state,
        })),
      )
      .onConflictDoNothing();
  }

  /** Has waiting mails sent now instead of at the next sweep. Call it after the transaction. */
  async nudge(): Promise<void> {
    if (this.mailer.configured) await this.queue.enqueue(SEND_HINT);
  }

  async list(principal: Principal, query: OutboxQuery): Promise<Page<OutboxMail>> {
    const where = and(
      scopedTo(principal, outbox.workspaceId),
      query.workspaceId ? eq(outbox.workspaceId, query.workspaceId) : undefined,
      query.state ? eq(outbox.state, query.state) : undefined,
    );
    return readPage(query, this.db.$count(outbox, where), (limit, offset) =>
      this.db
        .select()
        .from(outbox)
        .where(where)
        .orderBy(desc(outbox.createdAt), desc(outbox.id))
        .limit(limit)
        .offset(offset),
    );
  }

  private async adminsOf(workspaceId: string, db: Database | Transaction): Promise<string[]> {
    const rows = await db
      .selectDistinct({ email: sql<string>`lower(${users.email})` })
      .from(users)
      .innerJoin(workspaces, eq(workspaces.organizationId, users.organizationId))
      .where(
        and(
          eq(workspaces.id, workspaceId),
          eq(users.role, 'admin'),
          or(isNull(users.workspaceId), eq(users.workspaceId, workspaceId)),
        ),
      );
    return rows.map((row) => row.email);
  }
}
