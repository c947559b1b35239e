import { formulaText, number, partsOf, workbookOf, zipOf } from './workbook.js';

const PEOPLE = { sheets: [{ rows: [['Email'], ['ann@example.com'], ['bob@example.com']] }] };
const SHEET = 'xl/worksheets/sheet1.xml';

/** Workbooks that fail as a whole: what they are, and the code of the error. */
export const BAD_WORKBOOKS: [what: string, make: () => Promise<Buffer>, code: string][] = [
  ['a workbook that unpacks to a thousand times its size', bomb, 'WORKBOOK_TOO_LARGE'],
  ['a workbook whose sheet is missing', withoutSheet, 'WORKBOOK_DAMAGED'],
  ['a workbook with a password', () => Promise.resolve(encrypted()), 'WORKBOOK_ENCRYPTED'],
  [
    'a workbook that was cut off',
    async () => (await workbookOf(PEOPLE)).subarray(0, -40),
    'WORKBOOK_DAMAGED',
  ],
  [
    'a workbook of hidden sheets',
    () => workbookOf({ sheets: [{ rows: [['Email'], ['ann@example.com']], state: 'hidden' }] }),
    'WORKBOOK_DAMAGED',
  ],
  ['a workbook with a header only', () => workbookOf({ sheets: [{ rows: [['Email']] }] }), 'NO_DATA_ROWS'],
];

/** Cells that are shown otherwise than they are kept. */
export const SHOWN_CELLS = (): Promise<Buffer> =>
  workbookOf({
    formats: ['00000', 'yyyy-mm-dd', '0'],
    sheets: [
      {
        rows: [
          ['Email', 'FirstName', 'LastName', 'mZip5', 'mState', 'Note'],
          [
            formulaText('shown-1@example.com'),
            'Ann',
            'Lee',
            // A number of four digits that is shown with its zero.
            number(2134, 1),
            'MA',
            number(45_292, 2),
          ],
          ['shown-2@example.com', 'Bob', 'Ray', '02134', 'MA', number('1.2E+10', 3)],
        ],
      },
    ],
  });

/** What {@link SHOWN_CELLS} show. */
export const SHOWN_TEXT = [
  'Email,FirstName,LastName,mZip5,mState,Note',
  'shown-1@example.com,Ann,Lee,02134,MA,2024-01-01',
  'shown-2@example.com,Bob,Ray,02134,MA,12000000000',
  '',
].join('\n');

function withoutSheet(): Promise<Buffer> {
  const parts = partsOf(PEOPLE);
  delete parts[SHEET];
  return zipOf(parts);
}

/** A sheet of 100 MiB of blanks, in a hundred kilobytes. */
function bomb(): Promise<Buffer> {
  const parts = partsOf(PEOPLE);
  parts[SHEET] = `<worksheet>${' '.repeat(100 * 2 ** 20)}</worksheet>`;
  return zipOf(parts, 9);
}

/** A compound file (MS-CFB) whose directory is its second sector and names the stream of an encrypted package. */
function encrypted(): Buffer {
  const file = Buffer.alloc(2048);
  file.write('\u00d0\u00cf\u0011\u00e0\u00a1\u00b1\u001a\u00e1', 'latin1');
  file.writeUInt16LE(9, 30);
  file.writeUInt32LE(1, 48);
  file.write('EncryptedPackage', 1024 + 128, 'utf16le');
  return file;
}
