import { describe, expect, it } from '@jest/globals';
import { assert, constantFrom, property, string } from 'fast-check';
import { dropPrefixOf, dropSettings, isDropNoise, listedFileOf } from './drop-files.js';

const object = (key: string) => ({ key, revision: 'r1', sizeBytes: 5, modifiedAt: new Date(0) });

describe('what a drop lists', () => {
  it('is the seat’s audience in the IQM layout, with header and any encoding', () => {
    const settings = dropSettings.parse({ layout: 'iqm', prefix: '/in/' });
    expect(listedFileOf(settings, object('in/onboarding/seat_id=42/crm/Spring.csv'))).toEqual({
      ...object('in/onboarding/seat_id=42/crm/Spring.csv'),
      workspace: { by: 'seat', seatId: '42' },
      audienceName: 'Spring',
      shape: { format: 'csv', header: true, encodings: 'detect', maxBytes: 10 * 1024 ** 3 },
      onUnknown: 'create',
      tombstones: false,
    });
  });

  it('is the workspace’s audience in the Repro layout, ids only, up to 500 MiB', () => {
    const settings = dropSettings.parse({ layout: 'repro' });
    expect(listedFileOf(settings, object('Spring.csv'))).toEqual({
      ...object('Spring.csv'),
      workspace: { by: 'input' },
      audienceName: 'Spring',
      shape: {
        format: 'csv',
        header: false,
        columns: ['customer_id'],
        encodings: 'utf-8',
        maxBytes: 500 * 1024 ** 2,
      },
      onUnknown: 'reject',
      tombstones: true,
    });
  });

  it('is a refusal with its reason for any other key, and nothing for what tools leave behind', () => {
    const settings = dropSettings.parse({ layout: 'iqm' });
    expect(listedFileOf(settings, object('Spring.csv'))).toEqual({
      key: 'Spring.csv',
      revision: 'r1',
      refused: { code: 'KEY_LAYOUT', message: expect.stringContaining('onboarding/seat_id=') },
    });
    for (const key of ['', 'onboarding/', 'x/.DS_Store', '_SUCCESS', 'a.csv.part', 'a.csv.TMP', 'a.csv~']) {
      expect({ key, listed: listedFileOf(settings, object(key)) }).toEqual({ key, listed: undefined });
    }
  });

  it('never passes over a key whose name ends in .csv, dot files aside', () => {
    assert(
      property(string({ unit: 'binary' }), (name) => {
        expect(isDropNoise(`x/${name.replace(/[./]/g, '')}.csv`)).toBe(name.replace(/[./]/g, '') === '');
      }),
    );
  });

  it('keeps key and revision of the object, whatever the key', () => {
    assert(
      property(string({ unit: 'binary' }), constantFrom('iqm', 'repro'), (key, layout) => {
        const listed = listedFileOf(dropSettings.parse({ layout }), object(key));
        expect(listed === undefined || (listed.key === key && listed.revision === 'r1')).toBe(true);
      }),
    );
  });

  it('begins at the prefix, however its slashes are written', () => {
    expect(['', '/', 'a', '/a', 'a/', '/a/b/'].map((prefix) => dropPrefixOf({ prefix }))).toEqual([
      '',
      '',
      'a/',
      'a/',
      'a/',
      'a/b/',
    ]);
    expect(dropSettings.safeParse({ layout: 'iqm', prefix: 'a/../b' }).success).toBe(false);
  });
});
