import { describe, expect, it } from '@jest/globals';
import { readColumns, type ColumnsRequest } from './read-columns.js';

const read = (columns: object | string, more: Partial<ColumnsRequest> = {}) =>
  readColumns({
    columns: typeof columns === 'string' ? columns : JSON.stringify(columns),
    columnSettings: undefined,
    isSingleColumnEnabled: false,
    ...more,
  });
const partsOf = (columns: object, settings?: object, isSingleColumnEnabled = false) => {
  const columnSettings = settings && JSON.stringify(settings);
  const result = read(columns, { columnSettings, isSingleColumnEnabled });
  return 'columns' in result ? Object.fromEntries(result.columns.map((c) => [c.column, c.part])) : result;
};

const columnsOf = (count: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, 'Email'])));

describe('the columns of an upload', () => {
  it('are those of the sample request', () => {
    const sample = {
      'first-name': 'Voters_FirstName',
      'last-name': 'Voters_LastName',
      zip: 'Residence_Addresses_Zip',
      state: 'Residence_Addresses_State',
      'street-address': 'Residence_Addresses_AddressLine',
    };
    expect(partsOf(sample)).toEqual({
      'first-name': 'first_name',
      'last-name': 'last_name',
      zip: 'zip',
      state: 'state',
      'street-address': 'street',
    });
  });

  it.each([
    [
      {
        FirstName: 'Voters_FirstName',
        LastName: 'Voters_LastName',
        mState: 'Residence_Addresses_State',
        mZip5: 'Residence_Addresses_Zip',
      },
      undefined,
      false,
      ['first_name', 'last_name', 'state', 'zip'],
    ],
    [
      {
        LastName: 'Voters_LastName',
        StreetAddress: 'Residence_Addresses_AddressLine',
        mState: 'Residence_Addresses_State',
        mZip5: 'Residence_Addresses_Zip',
      },
      undefined,
      false,
      ['last_name', 'street', 'state', 'zip'],
    ],
    [
      {
        StreetAddress: 'Residence_Addresses_AddressLine',
        mState: 'Residence_Addresses_State',
        mZip5: 'Residence_Addresses_Zip',
      },
      undefined,
      false,
      ['street', 'state', 'zip'],
    ],
    [{ NPI_ID_VALUE: 'NPI_ID' }, { NPI_ID: 'healthcare_id' }, true, ['npi']],
    [{ LALVOTERID: 'Voters_ID' }, { Voters_ID: 'voterbase_id' }, true, ['voter_id']],
    [{ Phone: 'Phone' }, { Phone: 'SHA1' }, true, ['phone_sha1']],
    [{ Email: 'Email' }, { Email: 'SHA256' }, true, ['email_sha256']],
    [{ FullAddress: 'Residence_FullAddress' }, undefined, true, ['full_address']],
  ])('take sample value %j with settings %j', (columns, settings, single, parts) => {
    expect(Object.values(partsOf(columns, settings, single))).toEqual(parts);
  });

  it.each([
    ['Raw', 'email'],
    ['md5', 'email_md5'],
    ['SHA-1', 'email_sha1'],
    ['SHA256', 'email_sha256'],
    ['sha512', 'email_sha512'],
  ])('read the data format %s', (format, part) => {
    expect(partsOf({ Mail: 'Email' }, { Email: format }, true)).toEqual({ Mail: part });
    expect(partsOf({ Mail: 'Email' }, { Mail: format }, true)).toEqual({ Mail: part });
  });

  it('take the hash form from the name of the column where no setting says it', () => {
    expect(partsOf({ 'email-sha256': 'Email', phone: 'Phone' }, undefined, true)).toEqual({
      'email-sha256': 'email_sha256',
      phone: 'phone',
    });
    expect(partsOf({ 'email-sha256': 'Email' }, { Email: 'Raw' }, true)).toEqual({ 'email-sha256': 'email' });
  });

  it.each([
    [{ VoterId: 'LALVOTERID' }, undefined, 'l2'],
    [{ LALVOTERID: 'Voter ID' }, undefined, 'l2'],
    [{ LALVOTERID: 'LalVoterID' }, { LalVoterID: 'VoterBase_ID' }, 'targetsmart'],
    [{ Id: 'Voters_ID' }, { Id: 'lalvoterid' }, 'l2'],
    [{ Id: 'Voters_ID' }, undefined, null],
    [{ Id: 'NPI_ID' }, { NPI_ID: 'healthcare_id' }, ''],
    [{ Id: 'NPI_ID' }, undefined, null],
    [{ Id: 'Email' }, undefined, undefined],
  ])(
    'take the data partner of %j with %j from the setting, else from a name, else from nobody',
    (named, settings, partner) => {
      const read = readColumns({
        columns: JSON.stringify(named),
        columnSettings: settings === undefined ? undefined : JSON.stringify(settings),
        isSingleColumnEnabled: true,
      });
      expect('columns' in read && read.columns.map((column) => column.partner)).toEqual([partner]);
    },
  );

  it('count only those that identify by themselves where a single column is enabled', () => {
    expect(
      partsOf({ Email: 'Email', FirstName: 'Voters_FirstName', Age: 'Voters_Age' }, undefined, true),
    ).toEqual({
      Email: 'email',
      FirstName: null,
      Age: null,
    });
  });

  it.each([
    ['nothing', '', 'a JSON object'],
    ['no JSON', '{"Email":', 'a JSON object'],
    ['no object', '["Email"]', 'a JSON object'],
    ['a text', '"Email"', 'a JSON object'],
    ['null', 'null', 'a JSON object'],
    ['no column', '{}', 'a JSON object'],
    ['no text', '{"Email":1}', 'a JSON object'],
    ['a column without a name', '{" ":"Email"}', 'a JSON object'],
    ['too many columns', columnsOf(2001), 'a JSON object'],
    ['an unknown field', '{"Email":"Shoe_Size"}', 'not supported'],
    [
      'no combination',
      '{"first":"Voters_FirstName","zip":"Residence_Addresses_Zip"}',
      'no supported combination',
    ],
  ])('are refused: %s', (_, columns, why) => {
    expect(read(columns)).toEqual({ refused: expect.stringContaining(why) });
  });

  it('may be two thousand, and have blanks around their names', () => {
    expect(read(columnsOf(2000))).toHaveProperty('columns.length', 2000);
    expect(partsOf({ ' Mail ': ' Email ' }, { Mail: ' MD5 ' })).toEqual({ Mail: 'email_md5' });
  });

  it('are refused with settings that are no object of texts', () => {
    for (const columnSettings of ['["MD5"]', '{"Email":1}', 'MD5']) {
      expect(read({ Mail: 'Email' }, { columnSettings })).toEqual({
        refused: expect.stringContaining('Column settings must be a JSON object'),
      });
    }
    expect(read({ Mail: 'Email' }, { columnSettings: '' })).toHaveProperty('columns');
  });

  it('may hold what nobody is matched by, and need no setting that is not of a hash or a partner', () => {
    const street = { street: 'Residence_Addresses_AddressLine', zip: 'Residence_Addresses_Zip' };
    const named = { ...street, state: 'Residence_Addresses_State', age: 'Voters_Age' };
    expect(partsOf(named, { zip: 'Raw', street: 'somebody' })).toEqual({
      street: 'street',
      zip: 'zip',
      state: 'state',
      age: null,
    });
    expect(partsOf({ Mail: 'Email', first: 'Voters_FirstName' })).toEqual({
      Mail: 'email',
      first: 'first_name',
    });
  });

  it('keep the hash form of their field whatever the name of the column says', () => {
    expect(partsOf({ 'email-md5': 'email_sha256' })).toEqual({ 'email-md5': 'email_sha256' });
  });

  it('are refused with what would be supported', () => {
    expect(partsOf({ Id: 'Voters_ID' }, { Id: 'somebody' })).toEqual({
      refused: 'The data partner of Voters_ID is not supported. Use one of lalvoterid, voterbase_id.',
    });
    expect(partsOf({ Mail: 'Email' }, { Mail: 'ROT13' })).toEqual({
      refused: 'The data format of email is not supported. Use one of Raw, MD5, SHA1, SHA256, SHA512.',
    });
  });

  it.each([
    [{ Voters_ID: 'somebody' }, { LALVOTERID: 'Voters_ID' }],
    [{ NPI_ID: 'voterbase_id' }, { NPI: 'NPI_ID' }],
    [{ Email: 'ROT13' }, { Email: 'Email' }],
  ])('are refused with settings %j', (settings, columns) => {
    expect(partsOf(columns, settings, true)).toEqual({ refused: expect.stringContaining('not supported') });
  });

  it('say nothing of what was sent in a refusal', () => {
    const refused = read('{"ann@example.com":"bob@example.com"}');
    expect(JSON.stringify(refused)).not.toContain('example.com');
  });

  it('are refused where a single column is enabled and none is named', () => {
    expect(
      partsOf(
        {
          s: 'Residence_Addresses_AddressLine',
          z: 'Residence_Addresses_Zip',
          t: 'Residence_Addresses_State',
        },
        undefined,
        true,
      ),
    ).toEqual({ refused: expect.stringContaining('Single column is enabled') });
  });
});
