import { FaultMail } from '../../src/features/faults/index.js';
import { MailStreams, Notices, Recipients } from '../../src/features/notices/index.js';
import { OutboxService } from '../../src/features/outbox/index.js';
import type { TestClock } from '../../src/platform/clock/testing/test-clock.js';
import type { Database } from '../../src/platform/database/index.js';
import { createMailer } from '../../src/platform/mail/index.js';
import type { WorkQueue } from '../../src/platform/queue/index.js';

/** Mails are written into the outbox and stay there. */
export function faultMail(db: Database, queue: WorkQueue, clock: TestClock): FaultMail {
  const outbox = new OutboxService(db, createMailer({ from: 'hub@example.com' }), queue);
  const recipients = new Recipients();
  const config = { mailGatherMs: 0, publicUrl: 'http://localhost:3000' };
  const streams = new MailStreams(db, clock, config, outbox, recipients);
  return new FaultMail(new Notices(clock, recipients, streams, outbox));
}
