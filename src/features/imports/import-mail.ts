import { Injectable } from '@nestjs/common';
import { and, eq, isNotNull, sql } from 'drizzle-orm';
import {
  sources,
  type imports,
  type ImportProblem,
  type Transaction,
} from '../../platform/database/index.js';
import { Notices } from '../notices/index.js';

type ImportRow = typeof imports.$inferSelect;

/**
 * Tells the admins of a workspace of its imports, in the transaction of the change itself. No personal data:
 * names of files and counts only.
 */
@Injectable()
export class ImportMail {
  constructor(private readonly notices: Notices) {}

  async failed(tx: Transaction, row: ImportRow, problem: ImportProblem): Promise<void> {
    if (row.sourceId) {
      await tx
        .update(sources)
        .set({ failingSince: sql`coalesce(${sources.failingSince}, now())` })
        .where(eq(sources.id, row.sourceId));
    }
    const next = ['The members of the audience stay as they were.', ...nextOf(row, problem)];
    await this.notices.tell(tx, {
      workspaceId: row.workspaceId,
      kind: 'import_failed',
      // The same revision that fails the same way every ten minutes is one message.
      onceKey: `${threadOf(row)}#${row.revision}:failed:${problem.code}`,
      content: contentOf(row, `Import of "${row.audienceName}" failed`, problem, next),
    });
  }

  async held(tx: Transaction, row: ImportRow, problem: ImportProblem): Promise<void> {
    const next = [
      `Release it: POST /api/v1/imports/${row.id}/release`,
      `Discard it: POST /api/v1/imports/${row.id}/discard`,
    ];
    await this.notices.tell(tx, {
      workspaceId: row.workspaceId,
      kind: 'import_held',
      onceKey: `${threadOf(row)}#${row.revision}:held`,
      content: contentOf(row, `Import of "${row.audienceName}" is held`, problem, next),
    });
  }

  /** Tells only where files of the same key failed before. */
  async succeeded(tx: Transaction, row: ImportRow): Promise<void> {
    if (!row.sourceId) return;
    const recovered = await tx
      .update(sources)
      .set({ failingSince: null })
      .where(and(eq(sources.id, row.sourceId), isNotNull(sources.failingSince)))
      .returning({ id: sources.id });
    if (recovered.length === 0) return;
    const message = 'A file of this key was imported again after others had failed. Nothing is to be done.';
    await this.notices.tell(tx, {
      workspaceId: row.workspaceId,
      kind: 'import_recovered',
      onceKey: `${threadOf(row)}#${row.id}:recovered`,
      content: {
        headline: `Import of "${row.audienceName}" succeeded again`,
        message,
        facts: factsOf(row),
        next: [],
        line: `"${row.audienceName}", file ${row.sourceKey}, import ${row.id}`,
      },
    });
  }

  /** Has written mail sent now. After the transaction. */
  send(): Promise<void> {
    return this.notices.send();
  }
}

/** Mails about the files of one key are one thread. */
function threadOf(row: ImportRow): string {
  return `import:${row.sourceId ?? row.id}`;
}

function nextOf({ id, audienceId }: ImportRow, { code }: ImportProblem): string[] {
  if (code === 'MAPPING_CHANGED') {
    return [
      `Approve the new columns (role admin): POST /api/v1/audiences/${audienceId}/mapping/approve {"importId": "${id}"}`,
      'Reject them: leave it, and upload a file with the columns of before.',
    ];
  }
  return [
    `Every problem with its row: GET /api/v1/imports/${id}/errors. Upload the corrected file to the same key.`,
  ];
}

function factsOf(row: ImportRow): [string, string][] {
  return [
    ['Audience', row.audienceName],
    ['File', row.sourceKey],
    ['Import', row.id],
  ];
}

function contentOf(row: ImportRow, headline: string, problem: ImportProblem, next: string[]) {
  const { code, message, column } = problem;
  const facts = factsOf(row);
  if (problem.row !== undefined) facts.push(['Row', String(problem.row)]);
  if (column !== undefined) facts.push(['Column', column]);
  return {
    headline,
    message: `${message} (${code})`,
    facts,
    next,
    line: `"${row.audienceName}", file ${row.sourceKey}: ${code}, import ${row.id}`,
  };
}
