import { Injectable } from '@nestjs/common';
import type { imports, ImportProblem, Transaction } from '../../platform/database/index.js';
import { OutboxService } from '../outbox/index.js';

type ImportRow = typeof imports.$inferSelect;

/**
 * Mail to the admins of a workspace about its imports, written in the transaction of the change it tells of.
 * No personal data: names of files and counts only.
 */
@Injectable()
export class ImportMail {
  constructor(private readonly outbox: OutboxService) {}

  async failed(tx: Transaction, row: ImportRow, problem: ImportProblem): Promise<void> {
    await this.post(tx, row, `failed:${problem.code}`, `Import of "${row.audienceName}" failed`, problem, [
      'The members of the audience stay as they were.',
    ]);
  }

  async held(tx: Transaction, row: ImportRow, problem: ImportProblem): Promise<void> {
    await this.post(tx, row, 'held', `Import of "${row.audienceName}" is held`, problem, [
      `Release it: POST /api/v1/imports/${row.id}/release`,
      `Discard it: POST /api/v1/imports/${row.id}/discard`,
    ]);
  }

  /** Has written mail sent now. After the transaction. */
  send(): Promise<void> {
    return this.outbox.nudge();
  }

  private async post(
    tx: Transaction,
    row: ImportRow,
    what: string,
    subject: string,
    problem: ImportProblem,
    more: readonly string[],
  ): Promise<void> {
    const where = [
      `File: ${row.sourceKey}`,
      ...(problem.row === undefined ? [] : [`Row: ${problem.row}`]),
      ...(problem.column === undefined ? [] : [`Column: ${problem.column}`]),
    ];
    const body = [
      `${problem.message} (${problem.code})`,
      '',
      ...where,
      `Import: ${row.id}`,
      '',
      ...more,
    ].join('\n');
    // The same revision that fails the same way every ten minutes is one message.
    const onceKey = `import:${row.sourceId ?? row.id}:${row.revision}:${what}`;
    await this.outbox.post({ workspaceId: row.workspaceId, onceKey, subject, body }, tx);
  }
}
