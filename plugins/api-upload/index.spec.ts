import { describe, expect, it } from '@jest/globals';
import { publicShapeOf } from '../../src/kit/index.js';
import { apiUpload } from './index.js';

describe('input api-upload', () => {
  it('has the public shape that is on record', () => {
    expect(publicShapeOf(apiUpload)).toMatchSnapshot();
  });

  it('takes a gigabyte and five million records where nothing else is set', () => {
    expect(apiUpload.settings.parse({})).toEqual({
      maxBytes: 2 ** 30,
      maxRecords: 5_000_000,
      keepFileDays: 30,
    });
  });

  it.each([{ maxBytes: 2 ** 30 + 1 }, { maxRecords: 5_000_001 }, { keepFileDays: -1 }, { maxBytes: 0 }])(
    'takes no more than IQM does: %j',
    (settings) => {
      expect(apiUpload.settings.safeParse(settings).success).toBe(false);
    },
  );
});
