/** The boundary of the quickstart's sample request. */
export const BOUNDARY = '----WebKitFormBoundary2LAoPYE0pJvRQ6mQ';

const COLUMN_VALUES = {
  'registered-voter-id': ['23457', '456789', '34567'],
  'l2-voter-id': ['LALNY987654', 'LALNY76543', 'LALNY54321'],
  'targetsmart-voter-id': ['NY-000020745', 'NY-000032452', 'NY-000069778'],
  'first-name': ['Bilbo', 'Frodo', 'Samwise'],
  'last-name': ['Baggins', 'Baggins', 'Gamgee'],
  'street-address': ['11 The Shire Middle Earth', '22 The Shire Middle Earth', '33 The Shire Middle Earth'],
  city: ['New York', 'New York', 'New York'],
  zip: ['10001', '10010', '10011'],
  zipplus4: ['1122', '2233', '3344'],
  state: ['NY', 'New York', 'NY'],
  'full-address': [
    '11 The Shire Middle Earth, New York, 10001, NY',
    '22 The Shire Middle Earth, New York, 10010, NY',
    '33 The Shire Middle Earth, New York, 10011, NY',
  ],
  phone: ['3456789012', '5678901234', '7890123456'],
  email: ['Bilbo.Baggins@lotr.com', 'Frodo.Baggins@lotr.com', 'Samwise.Gamgee@lotr.com'],
  'phone-sha256': [
    '26cc49f1a2133f3784b937017f9cc86e05b5413c7f91b0b6bd6375631b68371e',
    '2f510ce904687db4b2706fdaf33f1d0e678be13cc5fe300cf695a546befa5fc8',
    '453fc17260d034186d92d1e58cc557fea9cafc1bf886154b472057feed950605',
  ],
  'email-sha256': [
    '43f5f8fabe82fc8dce2452267f5550bb036d0ddf33368682a9cd5da8286d63a0',
    'ceb005d969f16f9a6a487849d27bf854fac1f0733aa61995bcbb5cb928dfc410',
    '986c1ae0d3cef60591d3b29aa54afb5d9654406d7cfa4fcbb65c3ad45ad1ce5c',
  ],
  'npi-id': ['1144317652', '1467478172', '1275506503'],
};

const COLUMNS = Object.keys(COLUMN_VALUES) as (keyof typeof COLUMN_VALUES)[];

/** The five fields of the sample request, as it has them. */
export const SAMPLE_FIELDS: Readonly<Record<string, string>> = {
  columns:
    '{"first-name":"Voters_FirstName","last-name":"Voters_LastName","zip":"Residence_Addresses_Zip","state":"Residence_Addresses_State","street-address":"Residence_Addresses_AddressLine"}',
  metadata: JSON.stringify({
    columns: COLUMNS,
    fileName: 'matched-audience-example.csv',
    fileSize: 1777,
    columnValues: COLUMN_VALUES,
    rows: 5,
  }),
  audienceName: 'Matched Audience Sample',
  isSingleColumnEnabled: 'false',
  fileTotalCount: '5',
};

/** The file that the sample request leaves out, made of the values that its metadata shows. */
export const SAMPLE_FILE = [
  COLUMNS.join(','),
  ...[0, 1, 2].map((row) => COLUMNS.map((column) => `"${COLUMN_VALUES[column][row]}"`).join(',')),
  '',
].join('\n');

/** The sample request: the file first, then the fields; where `content` is empty, to the letter. */
export function sampleBody(content = '', fields: Readonly<Record<string, string>> = SAMPLE_FIELDS): string {
  const file = [
    `--${BOUNDARY}`,
    'Content-Disposition: form-data; name="file"; filename="matched-audience-example.csv"',
    'Content-Type: text/csv',
    '',
    content,
  ];
  const others = Object.entries(fields).flatMap(([name, value]) => [
    `--${BOUNDARY}`,
    `Content-Disposition: form-data; name="${name}"`,
    '',
    value,
  ]);
  return [...file, ...others, `--${BOUNDARY}--`, ''].join('\r\n');
}
