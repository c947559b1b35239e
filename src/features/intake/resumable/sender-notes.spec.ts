import { describe, expect, it } from '@jest/globals';
import { HubError } from '../../../domain/errors/index.js';
import { readNotes } from './sender-notes.js';

/** Fields that are refused, and the whole answer. */
function refusedFields(metadata: Record<string, string | null>): { fields: string[]; text: string } {
  try {
    readNotes(metadata);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return {
      fields: (error.errors ?? []).map(({ field }) => field).toSorted(),
      text: JSON.stringify([error.message, error.errors]),
    };
  }
  throw new Error('Nothing was refused.');
}

describe('what the sender of a resumable upload says of it', () => {
  it('may be the name of the file alone', () => {
    expect(readNotes({ filename: 'Spring people.csv', filetype: 'text/csv' })).toEqual({
      workspaceId: undefined,
      audienceName: 'Spring people',
      fileName: 'Spring people.csv',
      key: 'Spring people',
      columns: undefined,
      recordCount: undefined,
      sha256: undefined,
      dryRun: false,
    });
  });

  it('may be everything, columns as in the API of IQM', () => {
    const notes = {
      audienceName: ' Spring ',
      key: 'spring-1',
      workspaceId: 'w',
      columns: '{"Mail":"Email"}',
      columnSettings: '{"Email":"SHA256"}',
      recordCount: '12',
      sha256: 'AB'.repeat(32),
      dryRun: 'TRUE',
    };
    expect(readNotes(notes)).toMatchObject({
      workspaceId: 'w',
      audienceName: 'Spring',
      key: 'spring-1',
      columns: [{ column: 'Mail', part: 'email_sha256' }],
      recordCount: 12,
      sha256: 'ab'.repeat(32),
      dryRun: true,
    });
  });

  it('is refused field by field, and no value is quoted', () => {
    const notes = {
      key: 'secret\u0007',
      sha256: 'secret',
      recordCount: '-1secret',
      dryRun: 'secret',
      columns: '{"secret":1}',
    };
    const { fields, text } = refusedFields(notes);
    expect(fields).toEqual(['audienceName', 'columns', 'dryRun', 'key', 'recordCount', 'sha256']);
    expect(text).not.toContain('secret');
    expect(refusedFields({ audienceName: 'a'.repeat(256), recordCount: '99999999999' }).fields).toEqual([
      'audienceName',
      'recordCount',
    ]);
    expect(refusedFields({ filename: null }).fields).toEqual(['audienceName', 'key']);
  });
});
