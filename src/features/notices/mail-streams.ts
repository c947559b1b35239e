import { Injectable } from '@nestjs/common';
import { and, asc, count, eq, inArray, isNull, lte } from 'drizzle-orm';
import {
  composeGathered,
  composeOne,
  LISTED_LINES,
  type ComposedMail,
  type NoticeKind,
} from '../../domain/notices/index.js';
import type { Clock } from '../../platform/clock/index.js';
import {
  mailStreams,
  notices,
  workspaces,
  type Database,
  type Transaction,
} from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import { InjectClock, InjectConfig, InjectDatabase } from '../../platform/nest/index.js';
import { OutboxService } from '../outbox/index.js';
import { Recipients } from './recipients.js';

/** Bundle of everything that goes into somebody's digest; every other bundle is a kind of notice. */
export const DIGEST = 'digest';

/** The notices that go to one person together. */
export interface StreamKey {
  workspaceId: string;
  recipient: string;
  bundle: string;
}

/**
 * Turns waiting notices into mails. The stream's row is locked first, and one transaction writes the mail and
 * notes it in its notices: so each of them is in exactly one mail, whoever dies when.
 */
@Injectable()
export class MailStreams {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
    @InjectConfig() private readonly config: Pick<Config, 'mailGatherMs' | 'publicUrl'>,
    private readonly outbox: OutboxService,
    private readonly recipients: Recipients,
  ) {}

  /** Locks the stream until the transaction ends; when its next mail may go, null: nothing is planned. */
  async lock(tx: Transaction, key: StreamKey): Promise<Date | null> {
    await tx.insert(mailStreams).values(key).onConflictDoNothing();
    const [stream] = await tx.select().from(mailStreams).where(isStream(key)).for('update');
    return stream?.nextMailAt ?? null;
  }

  async plan(tx: Transaction, key: StreamKey, nextMailAt: Date | null): Promise<void> {
    await tx.update(mailStreams).set({ nextMailAt }).where(isStream(key));
  }

  /** Writes the mails that are due; returns how many. Any number of processes may do so at once. */
  async gatherDue(signal: AbortSignal): Promise<number> {
    for (let mails = 0; ;) {
      const outcome = signal.aborted ? 'none' : await this.db.transaction((tx) => this.gatherNext(tx));
      if (outcome === 'none') return mails;
      if (outcome === 'mail') mails += 1;
    }
  }

  /** Writes one mail of all that waits in the stream, which the transaction has locked. False: nothing did. */
  async gather(tx: Transaction, key: StreamKey): Promise<boolean> {
    const kinds = await tx
      .select({ kind: notices.kind, total: count() })
      .from(notices)
      .where(waiting(key))
      .groupBy(notices.kind);
    if (kinds.length === 0) return false;
    if (!(await this.mayStillKnow(tx, key, kinds))) return false;
    const mail = await this.compose(tx, key, kinds);
    const { workspaceId, recipient, bundle } = key;
    const { subject, text: body, html, thread } = mail;
    const mailId = await this.outbox.post(
      { workspaceId, recipient, kind: bundle, subject, body, html, thread },
      tx,
    );
    await tx.update(notices).set({ mailId, gatheredAt: this.clock.now() }).where(waiting(key));
    return true;
  }

  /** When a stream of one kind may send the mail after the one it sends now. */
  nextAfter({ bundle }: StreamKey, now: Date): Date | null {
    return bundle === DIGEST ? null : new Date(now.getTime() + this.config.mailGatherMs);
  }

  private async gatherNext(tx: Transaction): Promise<'none' | 'mail' | 'empty'> {
    const now = this.clock.now();
    const [key] = await tx
      .select()
      .from(mailStreams)
      .where(lte(mailStreams.nextMailAt, now))
      .orderBy(asc(mailStreams.nextMailAt))
      .limit(1)
      .for('update', { skipLocked: true });
    if (!key) return 'none';
    const sent = await this.gather(tx, key);
    await this.plan(tx, key, sent ? this.nextAfter(key, now) : null);
    return sent ? 'mail' : 'empty';
  }

  /** What waited for somebody who may not know of it any more is dropped. */
  private async mayStillKnow(
    tx: Transaction,
    key: StreamKey,
    kinds: readonly { kind: NoticeKind }[],
  ): Promise<boolean> {
    const asAdmin = kinds.some(({ kind }) => kind !== 'export_ready');
    if (key.bundle === 'export_ready') return true;
    if (await this.recipients.mayKnow(tx, key.workspaceId, key.recipient, asAdmin)) return true;
    await tx.delete(notices).where(waiting(key));
    return false;
  }

  private async compose(
    tx: Transaction,
    key: StreamKey,
    kinds: readonly { kind: NoticeKind; total: number }[],
  ): Promise<ComposedMail & { thread: string }> {
    const oldest = await tx
      .select()
      .from(notices)
      .where(waiting(key))
      .orderBy(asc(notices.createdAt), asc(notices.id))
      .limit(1);
    const [only] = oldest;
    const total = kinds.reduce((sum, kind) => sum + kind.total, 0);
    if (only && total === 1 && key.bundle !== DIGEST) {
      return { ...composeOne(only.content), thread: threadOf(only.onceKey) };
    }
    const [workspace] = await tx.select().from(workspaces).where(eq(workspaces.id, key.workspaceId));
    const gathered = [];
    for (const { kind, total: ofKind } of kinds) {
      gathered.push({ kind, total: ofKind, lines: await firstLines(tx, key, kind) });
    }
    const named = { id: key.workspaceId, name: workspace?.name ?? '' };
    const mail = composeGathered(named, gathered, `${this.config.publicUrl}/api/v1`);
    return { ...mail, thread: `${key.workspaceId}:${key.bundle}` };
  }
}

/** Occasions are named `thread#what`: what failed, was held and succeeded again is one thread. */
export function threadOf(onceKey: string): string {
  return onceKey.split('#', 1)[0] ?? onceKey;
}

async function firstLines(tx: Transaction, key: StreamKey, kind: NoticeKind): Promise<string[]> {
  const rows = await tx
    .select({ content: notices.content })
    .from(notices)
    .where(and(waiting(key), inArray(notices.kind, [kind])))
    .orderBy(asc(notices.createdAt), asc(notices.id))
    .limit(LISTED_LINES);
  return rows.map(({ content }) => content.line);
}

function isStream({ workspaceId, recipient, bundle }: StreamKey) {
  return and(
    eq(mailStreams.workspaceId, workspaceId),
    eq(mailStreams.recipient, recipient),
    eq(mailStreams.bundle, bundle),
  );
}

function waiting({ workspaceId, recipient, bundle }: StreamKey) {
  return and(
    eq(notices.workspaceId, workspaceId),
    eq(notices.recipient, recipient),
    eq(notices.bundle, bundle),
    isNull(notices.gatheredAt),
  );
}
