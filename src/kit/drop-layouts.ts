/**
 * Keys of the two drop layouts. A key is read literally: `%2F` stays three characters and never becomes a
 * slash, and `..` is refused, so that no key can name a place outside the drop.
 */

/** Bytes of UTF-8 a key may have: S3's own limit. */
export const MAX_KEY_BYTES = 1024;

/** Characters of the file name without its ending, which becomes the audience's name. */
const MAX_NAME_LENGTH = 255;

/** A key that is not usable as a source, with the reason. */
export interface RefusedKey {
  refused: { code: string; message: string };
}

/** Formats of dropped files, by the endings of their names. */
const FORMATS = { csv: 'CSV', xlsx: 'an Excel workbook (.xlsx)' } as const;
type DropFormat = keyof typeof FORMATS;

/** Parts of `onboarding/seat_id={seatId}/{folder}/{audienceName}.csv`, or `.xlsx`. */
export interface IqmKey {
  format: DropFormat;
  seatId: string;
  folder: string;
  audienceName: string;
}

/** Parts of `{audienceName}.csv`. */
export interface ReproKey {
  format: 'csv';
  audienceName: string;
}

const IQM_SHAPE = 'onboarding/seat_id={seat id}/{folder}/{audience name}.csv (or .xlsx)';
const REPRO_SHAPE = '{audience name}.csv';

/** Reads a key of the IQM layout; `relativeKey` is the key without the input's own prefix. */
export function parseIqmKey(relativeKey: string): IqmKey | RefusedKey {
  const unsafe = refuseUnsafe(relativeKey);
  if (unsafe) return unsafe;
  const [root, seat, folder, fileName, ...rest] = relativeKey.split('/');
  const seatId = seat?.startsWith('seat_id=') ? seat.slice('seat_id='.length) : '';
  if (root !== 'onboarding' || !seatId.trim() || !folder || !fileName || rest.length > 0) {
    return refuse('KEY_LAYOUT', `The key does not have the form ${IQM_SHAPE}. Move the file there.`);
  }
  const named = parseFileName(fileName, ['csv', 'xlsx']);
  return 'refused' in named ? named : { seatId, folder, ...named };
}

/** Reads a key of the Repro layout; `relativeKey` is the key without the input's own prefix. */
export function parseReproKey(relativeKey: string): ReproKey | RefusedKey {
  const unsafe = refuseUnsafe(relativeKey);
  if (unsafe) return unsafe;
  if (relativeKey.includes('/')) {
    return refuse('KEY_LAYOUT', `The key does not have the form ${REPRO_SHAPE}. Move the file up.`);
  }
  return parseFileName(relativeKey, ['csv']);
}

function parseFileName<F extends DropFormat>(
  fileName: string,
  formats: readonly F[],
): { format: F; audienceName: string } | RefusedKey {
  const format = formats.find((candidate) => fileName.toLowerCase().endsWith(`.${candidate}`));
  if (format === undefined) {
    const endings = formats.map((candidate) => `.${candidate}`).join(' or ');
    const names = formats.map((candidate) => FORMATS[candidate]).join(' or ');
    const message = `Only files whose name ends in ${endings} are imported. Save the file as ${names}.`;
    return refuse('KEY_EXTENSION', message);
  }
  const audienceName = fileName.slice(0, -`.${format}`.length).trim();
  if (!audienceName) {
    const message = `The file has no name before .${format}, and the name becomes the audience.`;
    return refuse('KEY_NAME_EMPTY', message);
  }
  const { length } = Array.from(audienceName);
  if (length > MAX_NAME_LENGTH) {
    const message = `The name before .${format} has ${length} characters; an audience's name has at most ${MAX_NAME_LENGTH}. Shorten it.`;
    return refuse('KEY_NAME_TOO_LONG', message);
  }
  return { format, audienceName };
}

function refuseUnsafe(key: string): RefusedKey | undefined {
  const sizeBytes = Buffer.byteLength(key);
  if (sizeBytes > MAX_KEY_BYTES) {
    return refuse('KEY_TOO_LONG', `The key has ${sizeBytes} bytes; at most ${MAX_KEY_BYTES} are taken.`);
  }
  if (/\p{Cc}/u.test(key)) {
    return refuse('KEY_CONTROL_CHARACTER', 'The key holds a control character. Rename the file.');
  }
  if (key.split('/').some((segment) => segment === '..' || segment === '.')) {
    return refuse('KEY_DOT_SEGMENT', 'The key holds a "." or ".." segment. Rename the file.');
  }
  return undefined;
}

function refuse(code: string, message: string): RefusedKey {
  return { refused: { code, message } };
}
