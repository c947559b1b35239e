import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { foldHeader, isKnownAttribute, recogniseHeader, recognisedFolds } from './columns.js';

describe('headers are compared', () => {
  it.each([
    ['white space, however wide', ' First\u00a0\u3000\tName\n', 'firstname'],
    ['blanks without width', '\ufeffFirst\u200bName', 'firstname'],
    ['underscores and hyphens', '-first__name_', 'firstname'],
  ])('without %s', (_, header, folded) => {
    expect(foldHeader(header)).toBe(folded);
  });

  it.each(['Ärztin', 'Prénom', 'Προϊόν', 'Γαΐδαρος', 'ǰ'])(
    'alike in either case, composed or not: %s',
    (header) => {
      for (const text of [header, header.toUpperCase()]) {
        expect(foldHeader(text.normalize('NFD'))).toBe(foldHeader(header));
        expect(foldHeader(text.normalize('NFC'))).toBe(foldHeader(header));
      }
    },
  );

  it('by a form that is its own', () => {
    const marked = fc.constantFrom('_', ' ', '\u0301', '\u0308', 'e', 'J\u030c');
    const unit = fc.oneof(marked, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }));
    fc.assert(
      fc.property(fc.string({ unit }), (header) => {
        expect(foldHeader(foldHeader(header))).toBe(foldHeader(header));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the known headers', () => {
  it('name a field or an attribute, and none names both', () => {
    const folds = [...recognisedFolds()].map(([folded]) => folded);
    expect(folds.filter((folded) => isKnownAttribute(folded))).toEqual([]);
    expect(folds.every((folded) => recogniseHeader(folded) !== undefined)).toBe(true);
  });

  it.each([
    ['LALVOTERID', 'l2'],
    ['l2-voter-id', 'l2'],
    ['L2 ID', 'l2'],
    ['targetsmart-voter-id', 'targetsmart'],
    ['VoterBase ID', 'targetsmart'],
    ['voter_id', undefined],
    ['Voters ID', undefined],
  ])('of voter ids say whose they are, or nothing: %s', (header, partner) => {
    expect(recogniseHeader(header)).toMatchObject({ part: 'voter_id' });
    expect(recogniseHeader(header)?.partner).toBe(partner);
  });
});
