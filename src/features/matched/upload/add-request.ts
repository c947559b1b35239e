import { readColumns, type NamedColumn } from '../../../domain/matched/index.js';

/** What an upload says beside its file. */
export interface AddRequest {
  audienceName: string;
  /** As sent. */
  columns: string;
  columnSettings: string | undefined;
  named: NamedColumn[];
  /** As sent, without sample values. */
  metadata: string;
  fileTotalCount: number;
  isSingleColumn: boolean;
}

const MAX_NAME_LENGTH = 255;
const MAX_COUNT = 2 ** 31 - 1;

/** Reads the fields of an upload, or says what is wrong with the first that is. No value is quoted. */
export function readAddRequest(fields: Readonly<Record<string, string>>): AddRequest | { refused: string } {
  const given = (name: string) => fields[name]?.trim() || undefined;
  const audienceName = given('audienceName');
  if (audienceName === undefined) return refuse('Audience name can not be null.');
  if (Array.from(audienceName).length > MAX_NAME_LENGTH || /\p{Cc}/u.test(audienceName)) {
    return refuse(`Audience name can have at most ${MAX_NAME_LENGTH} characters, and no control characters.`);
  }
  const columns = given('columns');
  if (columns === undefined) return refuse('Columns can not be null.');
  const metadata = given('metadata');
  if (metadata === undefined) return refuse('Metadata can not be null.');
  const kept = withoutSamples(metadata);
  if (kept === undefined) return refuse('Metadata must be a JSON object.');
  const count = given('fileTotalCount');
  if (count === undefined) return refuse('File total count can not be null.');
  if (!/^\d{1,10}$/.test(count) || Number(count) > MAX_COUNT) {
    return refuse('File total count must be a whole number.');
  }
  const single = given('isSingleColumnEnabled')?.toLowerCase() ?? 'false';
  if (single !== 'true' && single !== 'false')
    return refuse('Is single column enabled must be true or false.');
  const isSingleColumn = single === 'true';
  const columnSettings = given('columnSettings');
  const read = readColumns({ columns, columnSettings, isSingleColumnEnabled: isSingleColumn });
  if ('refused' in read) return read;
  const said = { audienceName, columns, columnSettings, metadata: kept, isSingleColumn };
  return { ...said, named: read.columns, fileTotalCount: Number(count) };
}

/** The metadata without the values of people that it samples: they are in the file, and need to be nowhere else. */
function withoutSamples(metadata: string): string | undefined {
  try {
    const value: unknown = JSON.parse(metadata);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const rest: Record<string, unknown> = { ...value };
    delete rest.columnValues;
    return JSON.stringify(rest);
  } catch {
    return undefined;
  }
}

function refuse(refused: string): { refused: string } {
  return { refused };
}
