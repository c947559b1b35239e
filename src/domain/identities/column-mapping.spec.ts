import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { diffMappings, mapColumns, sameContract, type ColumnMapping } from './column-mapping.js';

function mappingOf(header: string[]): ColumnMapping {
  const result = mapColumns(header);
  if ('problems' in result) throw new Error(result.problems.map((problem) => problem.message).join(' '));
  return result.mapping;
}

function typesOf(header: string[]): string[] {
  return mappingOf(header).identities.map((identity) => identity.type);
}

function problemsOf(header: string[]) {
  const result = mapColumns(header);
  return 'problems' in result ? result.problems : [];
}

describe('mapColumns', () => {
  it.each([
    ['FirstName,LastName,mState,mZip5', ['first_last_zip_state']],
    ['LastName,StreetAddress,mState,mZip5', ['last_street_zip_state', 'street_zip_state']],
    ['StreetAddress,mState,mZip5', ['street_zip_state']],
    ['NPI_ID_VALUE', ['npi']],
    ['LALVOTERID', ['voter_id']],
    ['Phone', ['phone']],
    ['Email', ['email']],
    ['FullAddress', ['full_address']],
    [
      'Voters_FirstName,Voters_LastName,Residence_Addresses_State,Residence_Addresses_Zip',
      ['first_last_zip_state'],
    ],
    ['customer_id', ['customer_id']],
    ['E-Mail,MOBILE PHONE', ['email', 'phone']],
  ])('finds what %s can be matched by', (header, types) => {
    expect(typesOf(header.split(','))).toEqual(types);
  });

  it('knows the columns of the upload guide and keeps those that identify nobody as attributes', () => {
    const header =
      'registered-voter-id,l2-voter-id,targetsmart-voter-id,first-name,last-name,street-address,city,zip,zipplus4,state,full-address,phone,email,phone-sha256,email-sha256,npi-id';
    const mapping = mappingOf(header.split(','));
    expect(mapping.identities).toEqual([
      { type: 'voter_id', columns: [1], partner: 'l2' },
      { type: 'voter_id', columns: [2], partner: 'targetsmart' },
      { type: 'npi', columns: [15], partner: '' },
      { type: 'email', columns: [12] },
      { type: 'email_sha256', columns: [14] },
      { type: 'phone', columns: [11] },
      { type: 'phone_sha256', columns: [13] },
      { type: 'full_address', columns: [10] },
      { type: 'first_last_zip_state', columns: [3, 4, 7, 9] },
      { type: 'last_street_zip_state', columns: [4, 5, 7, 9] },
      { type: 'street_zip_state', columns: [5, 7, 9] },
    ]);
    expect(mapping.attributes).toEqual([
      { name: 'registered-voter-id', column: 0 },
      { name: 'city', column: 6 },
      { name: 'zipplus4', column: 8 },
    ]);
  });

  it('knows every telephone column of L2', () => {
    const mapping = mappingOf([
      'LALVOTERID',
      'VoterTelephones_CellPhoneFormatted',
      'VoterTelephones_LandlineFormatted',
      'VoterTelephones_CellphoneUnformatted',
      'VoterTelephones_LandlineUnformatted',
    ]);
    expect(mapping.identities.filter((identity) => identity.type === 'phone')).toHaveLength(4);
  });

  it('hints at a misspelled column of a usable file', () => {
    const result = mapColumns(['email', 'Fist Name', 'favourite colour']);
    expect(result).toMatchObject({
      hints: [{ columnNumber: 2, header: 'Fist Name', suggestion: 'First Name' }],
    });
  });

  it('is plain JSON', () => {
    const mapping = mappingOf(['email', 'city']);
    expect(JSON.parse(JSON.stringify(mapping))).toEqual(mapping);
  });
});

describe('a header that cannot be used', () => {
  it('says which field a misspelling probably means', () => {
    const [problem] = problemsOf(['Fist Name', 'LastName', 'State', 'Zip']);
    expect(problem?.code).toBe('NO_USABLE_COMBINATION');
    expect(problem?.message).toContain('column 1 "Fist Name" – did you mean First Name?');
    expect(problem?.message).toContain('recognised: Last Name, State, Zip');
  });

  it('lists every duplicate and every empty cell with its column', () => {
    expect(
      problemsOf(['email', '', 'E-mail', 'note', ' ']).map(({ code, columnNumber }) => [code, columnNumber]),
    ).toEqual([
      ['EMPTY_HEADER', 2],
      ['DUPLICATE_HEADER', 3],
      ['EMPTY_HEADER', 5],
    ]);
  });

  it.each([['ada@example.com'], ['2125550123'], ['LALNY987654'], ['0cc175b9c0f1b6a831c399e269772661']])(
    'is told from data, and the data is not repeated: %s',
    (cell) => {
      const problems = problemsOf([cell, 'Lovelace']);
      expect(problems.map((problem) => problem.code)).toEqual(['NO_HEADER']);
      expect(JSON.stringify(problems)).not.toContain(cell);
      expect(JSON.stringify(problems)).not.toContain('Lovelace');
    },
  );

  it('may have 2,000 columns and not one more', () => {
    const cells = Array.from({ length: 2000 }, (_, index) => (index === 0 ? 'email' : `column ${index}`));
    expect(problemsOf(cells)).toEqual([]);
    expect(problemsOf([...cells, 'one more']).map((problem) => problem.code)).toEqual(['TOO_MANY_COLUMNS']);
  });

  it('never repeats a cell that is neither a known header nor nearly one', () => {
    expect(JSON.stringify(problemsOf(['Lovelace', 'Lovelace', 'Ada']))).not.toMatch(/Lovelace|Ada/);
  });

  it('is refused and not fatal, whatever the cells hold', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 80 }), { maxLength: 20 }), (header) => {
        const result = mapColumns(header);
        expect(
          'problems' in result ? result.problems.length : result.mapping.identities.length,
        ).toBeGreaterThan(0);
      }),
    );
  });
});

describe('the mapping contract', () => {
  const header = ['Email', 'First Name', 'Last Name', 'State', 'Zip', 'Shoe size'];

  it('ignores order, case, separators and attributes', () => {
    const cells = [...header.slice(0, 5), 'Loyalty tier'];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(cells, { minLength: cells.length }),
        fc.boolean(),
        (shuffled, shout) => {
          const respelled = shuffled.map((cell) => (shout ? cell.toUpperCase() : cell.replace(' ', '_')));
          expect(sameContract(mappingOf(header), mappingOf(respelled))).toBe(true);
        },
      ),
    );
  });

  it('names what was added, removed and renamed', () => {
    const next = ['E-mail address', 'Phone', 'Shoe size'];
    expect(diffMappings(mappingOf(header), mappingOf(next))).toEqual({
      added: ['Phone'],
      removed: ['First Name', 'Last Name', 'State', 'Zip'],
      renamed: [{ field: 'Email', from: 'Email', to: 'E-mail address' }],
      changed: [],
      sentence:
        'The column mapping changed: added Phone; removed First Name, Last Name, State, Zip; renamed Email from "Email" to "E-mail address".',
    });
  });

  it('names a field that comes in another form', () => {
    const raw = mappingOf(['Email', 'Phone']);
    const hashed = mappingOf(['Email-SHA256', 'Phone']);
    expect(diffMappings(raw, hashed)).toEqual({
      added: [],
      removed: [],
      renamed: [],
      changed: [{ field: 'Email', from: 'raw', to: 'SHA-256' }],
      sentence: 'The column mapping changed: changed Email from raw to SHA-256.',
    });
    expect(diffMappings(hashed, raw).changed).toEqual([{ field: 'Email', from: 'SHA-256', to: 'raw' }]);
    const sha1 = mappingOf(['Email', 'Phone-SHA1']);
    expect(diffMappings(sha1, mappingOf(['Email', 'Phone-MD5'])).changed).toEqual([
      { field: 'Phone', from: 'SHA-1', to: 'MD5' },
    ]);
  });

  it('tells two columns of one field apart', () => {
    const one = mappingOf(['Cell', 'Email']);
    const two = mappingOf(['Cell', 'Email', 'Landline']);
    expect(diffMappings(one, two).added).toEqual(['Phone ("Landline")']);
    expect(diffMappings(two, one).removed).toEqual(['Phone ("Landline")']);
  });
});
