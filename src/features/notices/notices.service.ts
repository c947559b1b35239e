import { Injectable } from '@nestjs/common';
import {
  nextDigestAt,
  TOLD_ONE_BY_ONE,
  type NoticeContent,
  type NoticeKind,
} from '../../domain/notices/index.js';
import type { Clock } from '../../platform/clock/index.js';
import { notices, type Transaction } from '../../platform/database/index.js';
import { InjectClock } from '../../platform/nest/index.js';
import { OutboxService } from '../outbox/index.js';
import { DIGEST, MailStreams, type StreamKey } from './mail-streams.js';
import { Recipients, type Recipient } from './recipients.js';

/** Something to tell people of. */
export interface Notice {
  workspaceId: string;
  kind: NoticeKind;
  /** Names the occasion: told again, it does nothing. What stands before a `#` names the mail's thread. */
  onceKey: string;
  content: NoticeContent;
  /** Addresses. Absent: the admins of the workspace and of its organization. */
  recipients?: readonly string[];
}

/**
 * Tells people what happened, each in the way they chose. The first notice of a kind goes out at once, more of
 * it within a while are gathered into one mail, and digests wait for their hour.
 */
@Injectable()
export class Notices {
  constructor(
    @InjectClock() private readonly clock: Clock,
    private readonly recipients: Recipients,
    private readonly streams: MailStreams,
    private readonly outbox: OutboxService,
  ) {}

  /** Part of the transaction of the change it tells of: there is a notice exactly where the change was made. */
  async tell(tx: Transaction, notice: Notice): Promise<void> {
    const { workspaceId, kind } = notice;
    // In the order of their addresses, so that two that tell the same people do not wait for each other.
    for (const recipient of await this.recipients.of(tx, workspaceId, kind, notice.recipients)) {
      if (recipient.choice !== 'off') await this.tellOne(tx, notice, recipient);
    }
  }

  /** Has written mails sent now instead of at the next sweep. Call it after the transaction. */
  send(): Promise<void> {
    return this.outbox.nudge();
  }

  private async tellOne(tx: Transaction, notice: Notice, { address, choice, digestEvery }: Recipient) {
    const { workspaceId, kind, onceKey, content } = notice;
    const now = this.clock.now();
    const bundle = choice === 'digest' ? DIGEST : kind;
    const key: StreamKey = { workspaceId, recipient: address, bundle };
    const nextMailAt = await this.streams.lock(tx, key);
    const [written] = await tx
      .insert(notices)
      .values({ ...key, kind, onceKey, content, createdAt: now })
      .onConflictDoNothing()
      .returning({ id: notices.id });
    if (!written) return;
    if (bundle === DIGEST) {
      if (nextMailAt === null) await this.streams.plan(tx, key, nextDigestAt(digestEvery, now));
      return;
    }
    if (nextMailAt !== null && nextMailAt > now && !TOLD_ONE_BY_ONE.has(kind)) return;
    await this.streams.gather(tx, key);
    await this.streams.plan(tx, key, this.streams.nextAfter(key, now));
  }
}
