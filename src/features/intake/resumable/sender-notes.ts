import { HubError, type FieldProblem } from '../../../domain/errors/index.js';
import { readColumns, type NamedColumn } from '../../../domain/matched/index.js';

/** What the sender of a resumable upload says of it in Upload-Metadata; names that are not known are passed over. */
export interface SenderNotes {
  /** Undefined: the one of the API key. */
  workspaceId: string | undefined;
  /** Name of the audience; the name of the file without its ending where it is not said. */
  audienceName: string;
  /** Of the file, where it is said. */
  fileName: string;
  /** The same key refreshes the same audience; the name of the audience where it is not said. */
  key: string;
  /** Which columns are matched, and as what; undefined: as their headers say. */
  columns: NamedColumn[] | undefined;
  /** Rows that the file should have. */
  recordCount: number | undefined;
  /** Hex, of the whole file. */
  sha256: string | undefined;
  /** Only to look at: see `report` of the upload. */
  dryRun: boolean;
}

const MAX_NAME_LENGTH = 255;
const MAX_KEY_LENGTH = 512;
const MAX_COUNT = 2 ** 31 - 1;

/** Reads the metadata of an upload. Throws VALIDATION_FAILED with every field that does not fit; no value is quoted. */
export function readNotes(metadata: Readonly<Record<string, string | null>> | undefined): SenderNotes {
  const problems: FieldProblem[] = [];
  const given = (name: string) => metadata?.[name]?.trim() || undefined;
  const check = (field: string, isGood: boolean, message: string) => {
    if (!isGood) problems.push({ field, message: `${field} ${message}` });
  };
  const fileName = given('filename') ?? given('name') ?? '';
  const audienceName = given('audienceName') ?? fileName.replace(/\.[a-z]{2,5}$/i, '');
  check(
    'audienceName',
    isText(audienceName, MAX_NAME_LENGTH),
    `must be a name of 1 to ${MAX_NAME_LENGTH} characters without control characters`,
  );
  const key = given('key') ?? audienceName;
  check(
    'key',
    isText(key, MAX_KEY_LENGTH),
    `must have 1 to ${MAX_KEY_LENGTH} characters, none a control character`,
  );
  const sha256 = given('sha256')?.toLowerCase();
  check('sha256', sha256 === undefined || /^[\da-f]{64}$/.test(sha256), 'must be 64 hexadecimal digits');
  const count = given('recordCount');
  const isCount = count === undefined || (/^\d{1,10}$/.test(count) && Number(count) <= MAX_COUNT);
  check('recordCount', isCount, 'must be a whole number');
  const dryRun = given('dryRun')?.toLowerCase() ?? 'false';
  check('dryRun', ['true', 'false'].includes(dryRun), 'must be true or false');
  const columns = columnsOf(given('columns'), given('columnSettings'));
  if ('refused' in columns) check('columns', false, `cannot be used: ${columns.refused}`);
  if (problems.length > 0) {
    throw new HubError('VALIDATION_FAILED', 'The Upload-Metadata of the upload does not fit.', problems);
  }
  return {
    workspaceId: given('workspaceId'),
    audienceName,
    fileName,
    key,
    columns: 'refused' in columns ? undefined : columns.columns,
    recordCount: count === undefined ? undefined : Number(count),
    sha256,
    dryRun: dryRun === 'true',
  };
}

function columnsOf(
  columns: string | undefined,
  columnSettings: string | undefined,
): { columns: NamedColumn[] | undefined } | { refused: string } {
  if (columns === undefined) return { columns: undefined };
  return readColumns({ columns, columnSettings, isSingleColumnEnabled: false });
}

function isText(text: string, maxLength: number): boolean {
  const { length } = Array.from(text);
  return length > 0 && length <= maxLength && !/\p{Cc}/u.test(text);
}
