import { describe, expect, it } from '@jest/globals';
import type { ColumnMeaning } from '../../kit/index.js';
import { diffMappings, mapColumns, sameContract, type ColumnMapping } from './column-mapping.js';
import { partnerNamed } from './data-partners.js';

function mapped(header: readonly string[], meanings?: readonly ColumnMeaning[]): ColumnMapping {
  const found = mapColumns(header, meanings);
  if ('problems' in found) throw new Error(JSON.stringify(found.problems));
  return found.mapping;
}

describe('what the sender says of columns', () => {
  it('counts instead of their names, and nothing is guessed of the others', () => {
    const meanings = [{ column: 'ref', field: 'customer_id' }];
    expect(mapColumns(['Ref', 'email', 'Fist Name'], meanings)).toStrictEqual({
      mapping: {
        identities: [{ type: 'customer_id', columns: [0] }],
        columns: [{ part: 'customer_id', header: 'Ref', column: 0 }],
        attributes: [
          { name: 'email', column: 1 },
          { name: 'Fist Name', column: 2 },
        ],
      },
      hints: [],
    });
  });

  it('is a problem where the file has no such column', () => {
    const found = mapColumns(
      ['email', 'note'],
      [
        { column: 'email', field: 'email' },
        { column: 'ref', field: 'customer_id' },
        { column: 'gone', field: null },
      ],
    );
    expect('problems' in found && found.problems).toStrictEqual([
      {
        code: 'COLUMN_MISSING',
        message:
          'The header has no column of the name that was given for Customer ID. Correct the name, or leave it out.',
      },
    ]);
  });

  it('finds a column under another name of the same field, but none that was named itself', () => {
    const { identities } = mapped(['E-mail address', 'Mail'], [{ column: 'Email', field: 'email' }]);
    expect(identities).toStrictEqual([{ type: 'email', columns: [0] }]);
    const named = mapped(
      ['E-mail address', 'Mail'],
      [
        { column: 'Email', field: 'email' },
        { column: 'E-mail address', field: null },
      ],
    );
    expect(named.identities).toStrictEqual([{ type: 'email', columns: [1] }]);
  });

  it('names a data partner, nobody, or leaves that open', () => {
    const of = (partner?: string | null) =>
      mapped(['ref'], [{ column: 'ref', field: 'voter_id', ...(partner === undefined ? {} : { partner }) }])
        .identities;
    expect(of()).toStrictEqual([{ type: 'voter_id', columns: [0] }]);
    expect(of(null)).toStrictEqual([{ type: 'voter_id', columns: [0], partner: '' }]);
    expect(of('LALVOTERID')).toStrictEqual([{ type: 'voter_id', columns: [0], partner: 'l2' }]);
    expect(mapped(['ref'], [{ column: 'ref', field: 'email', partner: 'l2' }]).identities).toStrictEqual([
      { type: 'email', columns: [0] },
    ]);
  });

  it.each([
    [' TargetSmart ', 'targetsmart'],
    ['VoterBase_ID', 'targetsmart'],
    ['My Data/Co-2', 'my-data-co-2'],
  ])('knows a data partner by one name: %s', (name, folded) => {
    expect(partnerNamed('voter_id', name)).toBe(folded);
  });
});

describe('columns of a file', () => {
  it('that feed no identity are no part of the mapping', () => {
    const { columns, attributes } = mapped(['Email', 'First Name']);
    expect(columns).toStrictEqual([{ part: 'email', header: 'Email', column: 0 }]);
    expect(attributes).toStrictEqual([{ name: 'First Name', column: 1 }]);
  });

  it('that name the same part are chosen by the strongest name, wherever they stand', () => {
    const { identities } = mapped(['Zip', 'First Name', 'Last Name', 'State', 'mZip5']);
    expect(identities).toStrictEqual([{ type: 'first_last_zip_state', columns: [1, 2, 4, 3] }]);
  });

  it('are hinted at where they resemble a field, but not where they are data', () => {
    expect(mapColumns(['Fist Name', 'Last Name']).hints).toStrictEqual([
      { columnNumber: 1, header: 'Fist Name', suggestion: 'First Name' },
    ]);
    expect(mapColumns(['ada@example.com', 'Fist Name']).hints).toStrictEqual([]);
    const meanings = [{ column: 'Email', field: 'email' }];
    expect(mapColumns(['ada@example.com', 'Fist Name'], meanings).hints).toStrictEqual([]);
    const many = Array.from({ length: 2001 }, (_, index) => `Fist Name${' '.repeat(index)}`);
    expect(mapColumns(many).hints).toStrictEqual([]);
  });
});

describe('a change of several columns', () => {
  it('is told in the order of fields, not of columns', () => {
    const { added, removed } = diffMappings(
      mapped(['customer_id']),
      mapped(['Phone', 'Full Address', 'Email']),
    );
    expect(added).toEqual(['Email', 'Full Address', 'Phone']);
    expect(removed).toEqual(['Customer ID']);
  });

  it('pairs every renamed column', () => {
    const [one, other] = [mapped(['Email', 'Phone']), mapped(['Mail', 'Tel'])];
    expect(diffMappings(one, other)).toMatchObject({
      added: [],
      removed: [],
      renamed: [
        { field: 'Email', from: 'Email', to: 'Mail' },
        { field: 'Phone', from: 'Phone', to: 'Tel' },
      ],
    });
    expect(sameContract(one, other)).toBe(false);
  });

  it('is none of names where the ids are of another data partner', () => {
    const ids = (partner: string) => mapped(['ref'], [{ column: 'ref', field: 'voter_id', partner }]);
    expect(diffMappings(ids('l2'), ids('targetsmart'))).toMatchObject({
      renamed: [],
      changed: [{ field: 'Voter ID', from: 'L2', to: 'TargetSmart' }],
    });
  });
});
