type Body = string | Uint8Array;

/** Three people. */
export const GOOD = 'Email\nann@example.com\nbob@example.com\neve@example.com\n';

const zip = Buffer.from('504b0304140000000800', 'hex');
const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(GOOD, 'utf16le')]);

/** Files that fail as a whole: what is wrong with them, and the code of the error. */
export const UNUSABLE_FILES: [what: string, body: Body, code: string][] = [
  ['no header', 'ann@example.com\nbob@example.com\n', 'NO_HEADER'],
  ['a wrong header', 'Colour,Fist Name\nred,Ann\n', 'NO_USABLE_COMBINATION'],
  ['a duplicate header', 'Email,email\nann@example.com,bob@example.com\n', 'DUPLICATE_HEADER'],
  ['nothing in it', '', 'EMPTY_FILE'],
  ['a header only', 'Email\n', 'NO_DATA_ROWS'],
  [
    'a quote that nobody closes',
    'Email,Phone\nann@example.com,"202 555\nbob@example.com,1\n',
    'UNCLOSED_QUOTE',
  ],
  ['a ZIP archive inside', zip, 'NOT_A_TEXT_FILE'],
  [
    'bytes of no known encoding',
    Buffer.from([...Buffer.from('Email\nann'), 0x81, 0x8d, 0x0a]),
    'ENCODING_UNKNOWN',
  ],
];

/** Files that are read but for some rows: how many are rejected by reason, and how many are accepted. */
export const FILES_WITH_BAD_ROWS: [
  what: string,
  body: Body,
  reasons: Record<string, number>,
  accepted: number,
][] = [
  [
    'ragged rows',
    'Email,Phone\nann@example.com,\nbob@example.com\neve@example.com,,x\n',
    { TOO_FEW_COLUMNS: 1, TOO_MANY_COLUMNS: 1 },
    1,
  ],
  ['NUL bytes', 'Email\nann@example.com\nb\0b@example.com\n', { NUL_BYTE: 1 }, 1],
  ['a line of 10 MB', `Email\nann@example.com\n${'x'.repeat(10 * 1024 * 1024)}\n`, { ROW_TOO_LONG: 1 }, 1],
  ['invalid values', 'Email\nann@example.com\nnobody\n', { EMAIL_INVALID: 1 }, 1],
];

/** {@link GOOD}, or three people like it, written in other ways. */
export const ODD_FILES: [what: string, body: Body][] = [
  ['UTF-16', utf16],
  ['a byte order mark', `﻿${GOOD}`],
  ['CRLF line ends', GOOD.replaceAll('\n', '\r\n')],
  [
    'Windows-1252',
    Buffer.from(
      'Email,First Name\nann@example.com,Andr\xe9\nbob@example.com,B\neve@example.com,E\n',
      'latin1',
    ),
  ],
];

/** Names of audiences that are to be taken as they are. */
export const ODD_NAMES: [what: string, name: string][] = [
  ['spaces', 'My  list of  people'],
  ['an emoji', 'Gewinner 🎉'],
  ['%2F, which is no slash', 'a%2Fb'],
  ['umlauts and quotes', `Käufer "O'Neil" & Söhne`],
];
