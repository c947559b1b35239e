import { Injectable } from '@nestjs/common';
import { isNewDifference, type ToldDifference } from '../../../domain/reconciliation/index.js';
import type { Clock } from '../../../platform/clock/index.js';
import type { Reconciliation, Transaction } from '../../../platform/database/index.js';
import { InjectClock } from '../../../platform/nest/index.js';
import { Notices } from '../../notices/index.js';
import type { UpkeepSubject } from '../upkeep-subject.js';

/** What comparing both counts came to, but for who was told of it. */
export type Finding = Omit<Reconciliation, 'told'>;

/** Tells the admins of a workspace of counts that differ: of each difference once. */
@Injectable()
export class DifferenceMail {
  constructor(
    @InjectClock() private readonly clock: Clock,
    private readonly notices: Notices,
  ) {}

  /**
   * In the transaction that writes the finding down, with the answer to be kept as `told`.
   *
   * @param known what admins were told of before
   * @param tells whether they get mail now; somebody who asks for the count sees it anyway
   */
  async tell(
    tx: Transaction,
    subject: UpkeepSubject,
    finding: Finding,
    { known, tells }: { known: ToldDifference | null; tells: boolean },
  ): Promise<ToldDifference | null> {
    const { verdict, hub, partner, tolerance, problem } = finding;
    if (hub === null || partner === null || verdict === 'uncounted') return known;
    if (verdict === 'agrees') return null;
    const difference = partner - hub;
    const isNew = isNewDifference(known, { verdict, difference, tolerance: tolerance ?? 0 });
    if (!tells || !isNew) return known;
    const at = this.clock.now().toISOString();
    const { connection, audience, output, variant } = subject;
    const name = variant === null ? audience.name : `${audience.name}, variant ${variant.name}`;
    await this.notices.tell(tx, {
      workspaceId: connection.workspaceId,
      kind: 'count_differs',
      onceKey: `count:${connection.id}#${at}`,
      content: {
        headline: `"${output.name}" says it has ${Math.abs(difference)} ${verdict} of "${name}" than were accepted`,
        message: problem ? `${problem.message} (${problem.code})` : '',
        facts: [
          ['Audience', name],
          ['Output', output.name],
          ['Connection', connection.id],
        ],
        next: [
          `Nothing is stopped. Both counts: GET /api/v1/connections/${connection.id}, reconciliation.`,
          'The hub compares them every day, and tells you again once the difference is another one.',
        ],
        line: `"${name}" to "${output.name}": ${partner} there, ${hub} accepted, connection ${connection.id}`,
      },
    });
    return { verdict, difference, at };
  }

  /** Has written mail sent now. After the transaction. */
  send(): Promise<void> {
    return this.notices.send();
  }
}
