import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { and, desc, eq } from 'drizzle-orm';
import { outbox, type Database, type Transaction } from '../../platform/database/index.js';
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
  /** A mail address, or {@link NOBODY}. */
  recipient: string;
  /** What it is about. */
  kind: string;
  subject: string;
  body: string;
  html: string;
  /** Mails of one thread are shown together. */
  thread: string;
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
   * Writes the mail and returns its id. Give the transaction of the change it tells of, so that there is a mail
   * exactly where the change was made; the sender finds it within a sweep, or at {@link nudge}.
   */
  async post(mail: Post, db: Database | Transaction = this.db): Promise<string> {
    const id = randomUUID();
    const state = this.mailer.configured && mail.recipient !== NOBODY ? 'waiting' : 'kept';
    await db.insert(outbox).values({ ...mail, id, onceKey: id, state });
    return id;
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
}
