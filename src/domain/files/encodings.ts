/** Encodings that are read. Everything else is refused by name where it is recognised. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** What the first bytes say about the encoding. */
export interface SniffedEncoding {
  encoding: Encoding | 'utf-32' | 'binary';
  /** Length of the byte order mark, 0 without one. */
  bomBytes: number;
}

const NAMES: Readonly<Record<Encoding | 'utf-32' | 'shift-jis', string>> = {
  'utf-8': 'UTF-8',
  'utf-16le': 'UTF-16 (little-endian)',
  'utf-16be': 'UTF-16 (big-endian)',
  'utf-32': 'UTF-32',
  'windows-1252': 'Windows-1252',
  'shift-jis': 'Shift_JIS',
};

/** Name of an encoding for people. */
export function encodingName(encoding: keyof typeof NAMES): string {
  return NAMES[encoding];
}

const SAMPLE_BYTES = 65_536;
/** In UTF-16 the zero bytes of ASCII (delimiters and line ends at least) stand all on one side: share of pairs. */
const MIN_ZERO_SHARE = 0.1;
const ONE_SIDE = 10;
/** Fewer zero bytes than this share are stray ones: a matter of the records that hold them. */
const BINARY_SHARE = 0.3;

/** Byte order mark, or the pattern of zero bytes, of the first bytes of a file. */
export function sniffEncoding(head: Buffer): SniffedEncoding {
  const bom = head.toString('latin1', 0, 4);
  if (bom.startsWith('\xef\xbb\xbf')) return { encoding: 'utf-8', bomBytes: 3 };
  if (bom === '\xff\xfe\0\0' || bom === '\0\0\xfe\xff') return { encoding: 'utf-32', bomBytes: 4 };
  if (bom.startsWith('\xff\xfe')) return { encoding: 'utf-16le', bomBytes: 2 };
  if (bom.startsWith('\xfe\xff')) return { encoding: 'utf-16be', bomBytes: 2 };
  return { encoding: byZeroBytes(head.subarray(0, SAMPLE_BYTES)), bomBytes: 0 };
}

function byZeroBytes(sample: Buffer): 'utf-8' | 'utf-16le' | 'utf-16be' | 'binary' {
  if (!sample.includes(0)) return 'utf-8';
  const zeros: [even: number, odd: number] = [0, 0];
  for (let index = 0; index < sample.length; index++) {
    if (sample[index] === 0) zeros[index % 2 === 0 ? 0 : 1] += 1;
  }
  const [even, odd] = zeros;
  const isShare = even + odd >= (sample.length / 2) * MIN_ZERO_SHARE;
  // The first two characters, of a column name or an id, are ASCII.
  const [first, second, third, fourth] = sample;
  if (isShare && odd > even * ONE_SIDE && second === 0 && fourth === 0) return 'utf-16le';
  if (isShare && even > odd * ONE_SIDE && first === 0 && third === 0) return 'utf-16be';
  return even + odd >= sample.length * BINARY_SHARE ? 'binary' : 'utf-8';
}

/**
 * True for bytes that read well as Shift_JIS. Japanese characters come in runs there; the accented letters and
 * curly quotes of Windows-1252 stand alone among ASCII.
 */
export function looksLikeShiftJis(bytes: Uint8Array): boolean {
  const text = new TextDecoder('shift_jis').decode(bytes.subarray(0, SAMPLE_BYTES));
  const foreign = text.match(/[^\0-\x7f]+/g) ?? [];
  const total = foreign.reduce((sum, run) => sum + run.length, 0);
  const inRuns = foreign.filter((run) => run.length > 1).reduce((sum, run) => sum + run.length, 0);
  const damaged = text.split('\ufffd').length - 1;
  // The sample may end in the middle of a character.
  return inRuns > 0 && inRuns >= total * 0.6 && damaged <= 1 + total * 0.01;
}

/** Western text has accented letters and curly quotes one or two at a time; other scripts have whole words. */
const LONG_RUN = 3;

/** True for bytes that are hardly Windows-1252: most of those beyond ASCII stand three and more in a row. */
export function looksNonWestern(bytes: Uint8Array): boolean {
  let total = 0;
  let inLongRuns = 0;
  let run = 0;
  for (const byte of bytes.subarray(0, SAMPLE_BYTES)) {
    if (byte < 0x80) {
      run = 0;
      continue;
    }
    run += 1;
    total += 1;
    if (run === LONG_RUN) inLongRuns += LONG_RUN;
    else if (run > LONG_RUN) inLongRuns += 1;
  }
  return inLongRuns > total / 2;
}
