import { Injectable } from '@nestjs/common';
import { and, eq, sql } from 'drizzle-orm';
import { outbox, type Database } from '../../platform/database/index.js';
import { Leases } from '../../platform/lease/index.js';
import { MailError, type Mailer } from '../../platform/mail/index.js';
import { Metrics } from '../../platform/metrics/index.js';
import { InjectDatabase, InjectMailer } from '../../platform/nest/index.js';
import type { OutboxMail } from './outbox.dto.js';

/** Tries of one mail; with the back-off below about a day. */
const MAX_TRIES = 12;
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 4 * 3_600_000;

/** Milliseconds until a mail that failed `tries` times is tried again. */
export function pauseAfter(tries: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
}

/**
 * Sends what waits in the outbox, any number of senders at once. A sender that dies after the server took
 * a mail and before that is written down sends it once more.
 */
@Injectable()
export class OutboxSender {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectMailer() private readonly mailer: Mailer,
    private readonly leases: Leases,
    private readonly metrics: Metrics,
  ) {}

  /** Sends mails until none is due or `signal` aborts; returns how many were sent. */
  async sendWaiting(signal: AbortSignal): Promise<number> {
    let sent = 0;
    while (this.mailer.configured && !signal.aborted) {
      const mail = await this.claim();
      if (!mail) break;
      if (await this.send(mail)) sent += 1;
    }
    return sent;
  }

  private async send(mail: OutboxMail): Promise<boolean> {
    try {
      const { id, recipient: to, subject, body: text, html, thread, workspaceId: list } = mail;
      await this.mailer.send({ id, to, subject, text, html, thread, list });
    } catch (error) {
      await this.failed(mail, error);
      return false;
    }
    await this.write(mail, { state: 'sent', sentAt: sql`now()`, error: null });
    this.metrics.mails.inc({ outcome: 'sent' });
    return true;
  }

  private async failed(mail: OutboxMail, error: unknown): Promise<void> {
    // Only a MailError's message is known to name nobody.
    const known = error instanceof MailError ? error : new MailError('The mail could not be sent.', true);
    const final = !known.retryable || mail.attempts >= MAX_TRIES;
    this.metrics.mails.inc({ outcome: final ? 'failed' : 'retried' });
    const pause = `${pauseAfter(mail.attempts)} milliseconds`;
    await this.write(mail, {
      state: final ? 'failed' : 'waiting',
      error: known.message,
      notBefore: sql`now() + ${pause}::interval`,
    });
  }

  /** Takes the oldest mail that is due; its attempts count this try. */
  private async claim(): Promise<OutboxMail | undefined> {
    const due = sql`(select waiting.id from ${outbox} as waiting where waiting.state = 'waiting'
      and (waiting.lease_until is null or waiting.lease_until < now())
      and (waiting.not_before is null or waiting.not_before <= now())
      order by waiting.created_at limit 1 for update skip locked)`;
    const [mail] = await this.db
      .update(outbox)
      .set({
        leaseOwner: this.leases.owner,
        leaseUntil: this.leases.until(),
        attempts: sql`${outbox.attempts} + 1`,
      })
      .where(sql`${outbox.id} = ${due}`)
      .returning();
    return mail;
  }

  private async write(
    mail: OutboxMail,
    change: Partial<Record<'state' | 'error' | 'sentAt' | 'notBefore', unknown>>,
  ): Promise<void> {
    await this.db
      .update(outbox)
      .set({ ...(change as Partial<OutboxMail>), leaseOwner: null, leaseUntil: null })
      .where(and(eq(outbox.id, mail.id), eq(outbox.leaseOwner, this.leases.owner)));
  }
}
