import { describe, expect, it } from '@jest/globals';
import { SourceChangedError } from '../../../kit/index.js';
import { StorageFullError } from '../../../platform/files/index.js';
import { LeaseLostError } from '../../../platform/lease/index.js';
import { WarehouseError } from '../../../platform/warehouse/index.js';
import { ImportFailure } from './import-failure.js';
import { verdictOf } from './verdict.js';

const now = new Date('2026-03-04T05:06:07Z');
const systemError = (code: string) => Object.assign(new Error('write failed'), { code });

describe('the verdict over an import that stopped', () => {
  it.each([
    ['a full disk', systemError('ENOSPC')],
    ['a full quota', systemError('EDQUOT')],
    [
      'a full disk, wrapped',
      new Error('spool', { cause: new Error('copy', { cause: systemError('ENOSPC') }) }),
    ],
    ['a full store of files', new StorageFullError('the store is full')],
    ['an engine without space', new WarehouseError('ClickHouse error 243, NOT_ENOUGH_SPACE', '243')],
    [
      'an engine that cannot write',
      new WarehouseError('ClickHouse error 75: cannot write: No space left on device', '75'),
    ],
  ])('is a failure that the next scan tries again for %s', (_what, error) => {
    expect(verdictOf(error, 1, now)).toMatchObject({
      what: 'fail',
      again: true,
      problem: { code: 'DISK_FULL' },
    });
  });

  it('is another try where a lease was lost, and a failure where it is lost again and again', () => {
    expect(verdictOf(new LeaseLostError('lost'), 4, now)).toMatchObject({
      what: 'retry',
      code: 'LEASE_LOST',
    });
    expect(verdictOf(new LeaseLostError('lost'), 5, now)).toMatchObject({ what: 'fail', again: true });
  });

  it.each(['241', '173'])('says how to help where the engine has no memory (%s)', (code) => {
    expect(verdictOf(new WarehouseError('no memory', code), 1, now)).toMatchObject({
      what: 'fail',
      again: true,
      problem: { code: 'OUT_OF_MEMORY', message: expect.stringContaining('HUB_WAREHOUSE_MEMORY') },
    });
  });

  it('gives way to the new file where the source was replaced', () => {
    expect(verdictOf(new SourceChangedError('replaced'), 1, now)).toMatchObject({
      what: 'superseded',
      problem: { code: 'SOURCE_REPLACED' },
    });
  });

  it('waits for a corrected file where the file is at fault', () => {
    const failure = new ImportFailure({ code: 'HEADER_MISSING', message: 'There is no header.' });
    expect(verdictOf(failure, 1, now)).toEqual({ what: 'fail', problem: failure.problem, again: false });
  });

  it('tries what it does not know once more, then says so', () => {
    const error = new Error('what is this?');
    expect(verdictOf(error, 1, now)).toEqual({
      what: 'retry',
      code: 'UNEXPECTED',
      notBefore: new Date(now.getTime() + 2000),
    });
    expect(verdictOf(error, 2, now)).toMatchObject({
      what: 'fail',
      again: true,
      problem: { code: 'UNEXPECTED' },
      stack: error,
    });
  });
});
