import { describe, expect, it } from '@jest/globals';
import { readAddRequest } from './add-request.js';

const FIELDS = {
  audienceName: 'Matched Audience Sample',
  columns: '{"Email":"Email"}',
  metadata: '{"columns":["Email"],"columnValues":{"Email":["ann@example.com"]},"rows":5}',
  fileTotalCount: '5',
  isSingleColumnEnabled: 'true',
};

describe('the fields of an upload', () => {
  it('are read, and the sample values of people are not kept', () => {
    expect(readAddRequest(FIELDS)).toEqual({
      audienceName: 'Matched Audience Sample',
      columns: '{"Email":"Email"}',
      columnSettings: undefined,
      named: [{ column: 'Email', part: 'email' }],
      metadata: '{"columns":["Email"],"rows":5}',
      fileTotalCount: 5,
      isSingleColumn: true,
    });
  });

  it('take a missing flag for false', () => {
    expect(readAddRequest({ ...FIELDS, isSingleColumnEnabled: '' })).toMatchObject({ isSingleColumn: false });
  });

  it.each([
    [{ audienceName: '' }, 'Audience name can not be null.'],
    [
      { audienceName: 'a'.repeat(256) },
      'Audience name can have at most 255 characters, and no control characters.',
    ],
    [
      { audienceName: 'a\u0007b' },
      'Audience name can have at most 255 characters, and no control characters.',
    ],
    [{ columns: '' }, 'Columns can not be null.'],
    [{ metadata: '' }, 'Metadata can not be null.'],
    [{ metadata: 'text' }, 'Metadata must be a JSON object.'],
    [{ metadata: '[1]' }, 'Metadata must be a JSON object.'],
    [{ fileTotalCount: '' }, 'File total count can not be null.'],
    [{ fileTotalCount: '-1' }, 'File total count must be a whole number.'],
    [{ fileTotalCount: '5.5' }, 'File total count must be a whole number.'],
    [{ fileTotalCount: '99999999999' }, 'File total count must be a whole number.'],
    [{ isSingleColumnEnabled: 'maybe' }, 'Is single column enabled must be true or false.'],
  ])('are refused with %j', (changed, refused) => {
    expect(readAddRequest({ ...FIELDS, ...changed })).toEqual({ refused });
  });
});
