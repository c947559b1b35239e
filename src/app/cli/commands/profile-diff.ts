import { isUtf8 } from 'node:buffer';
import { open, type FileHandle } from 'node:fs/promises';
import {
  decoderOf,
  delimiterByHeader,
  fieldText,
  fieldTexts,
  otherKindOf,
  RecordScanner,
  sniffEncoding,
  UndecodableError,
  type Encoding,
} from '../../../domain/files/index.js';
import { isPhoneRegion } from '../../../domain/identities/index.js';
import { CELL_CLASSES, ProfileDiff, type ColumnDiff } from '../../../domain/normalisation/index.js';
import {
  isNormalisationProfile,
  NORMALISATION_PROFILES,
  type NormalisationProfile,
} from '../../../kit/index.js';
import { CliError, EXIT, type ExitCode } from '../cli-error.js';
import { table, type Screen } from '../screen.js';

export interface ProfileDiffOptions {
  region?: string;
}

const HEAD_BYTES = 1024 ** 2;

/** `hub profile diff A B FILE`: where two normalisation profiles make different things of a file. Reads it here. */
export async function diffProfiles(
  screen: Screen,
  given: readonly [string, string],
  file: string,
  { region }: ProfileDiffOptions,
): Promise<ExitCode> {
  const [first, second] = [profileOf(given[0]), profileOf(given[1])];
  if (region !== undefined && !isPhoneRegion(region)) {
    throw new CliError(`--region ${region} is no region that a numbering plan is known for.`, EXIT.usage);
  }
  const diff = await readInto(file, (headers) => {
    const made = new ProfileDiff(
      first,
      second,
      headers,
      region === undefined ? {} : { defaultRegion: region },
    );
    if (made.columns.length > 0) return made;
    throw new CliError(`${file} has no column that ${first} or ${second} has a rule for.`, EXIT.bad);
  });
  const { rows, differingRows, columns, rowClasses } = diff;
  const document = { profiles: [first, second], file, rows, differingRows, columns, rowClasses };
  screen.result(document, linesOf([first, second], diff));
  return differingRows > 0 ? EXIT.bad : EXIT.done;
}

function profileOf(name: string): NormalisationProfile {
  if (isNormalisationProfile(name)) return name;
  const known = NORMALISATION_PROFILES.join(', ');
  throw new CliError(`There is no profile ${name}. The profiles are ${known}.`, EXIT.usage);
}

/** Runs over the records of a CSV file; `begin` is given the header. */
async function readInto(path: string, begin: (headers: string[]) => ProfileDiff): Promise<ProfileDiff> {
  const file = await open(path).catch((error: unknown) => {
    throw new CliError(error instanceof Error ? error.message : `${path} cannot be read.`, EXIT.usage);
  });
  try {
    return await readRecords(file, path, begin);
  } catch (error) {
    if (error instanceof UndecodableError) throw new CliError(`${path}: ${error.message}.`, EXIT.bad);
    throw error;
  } finally {
    await file.close();
  }
}

async function readRecords(
  file: FileHandle,
  path: string,
  begin: (headers: string[]) => ProfileDiff,
): Promise<ProfileDiff> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  const head = buffer.subarray(0, bytesRead);
  const { encoding, bomBytes } = encodingOf(head, path);
  const decoder = decoderOf(encoding, bomBytes);
  const sample = Buffer.from(decoderOf(encoding, bomBytes).push(head.subarray(bomBytes)));
  const delimiter = delimiterByHeader((candidate) => firstRecords(sample, candidate));
  let diff: ProfileDiff | undefined;
  const scanner = new RecordScanner(delimiter.charCodeAt(0), (record) => {
    if (record.isBlank || record.tooLong) return;
    if (diff === undefined) {
      diff = begin(fieldTexts(record));
    } else diff.add(record.row, (index) => (index < record.count ? fieldText(record, index) : ''));
  });
  for await (const chunk of file.createReadStream({ start: bomBytes, autoClose: false })) {
    scanner.push(decoder.push(chunk as Buffer));
    if (scanner.fault) break;
  }
  decoder.end();
  scanner.end();
  if (scanner.fault) {
    throw new CliError(
      `${path}: the quote opened on line ${scanner.fault.line} is wrong. Mend it.`,
      EXIT.bad,
    );
  }
  if (diff === undefined)
    throw new CliError(`${path} is empty. Expected a CSV file with a header.`, EXIT.bad);
  return diff;
}

function encodingOf(head: Buffer, path: string): { encoding: Encoding; bomBytes: number } {
  const kind = otherKindOf(head);
  if (kind) throw new CliError(`${path} is ${kind.name}; expected a CSV file. ${kind.remedy}`, EXIT.bad);
  const { encoding, bomBytes } = sniffEncoding(head);
  if (encoding === 'binary' || encoding === 'utf-32') {
    throw new CliError(`${path} is no text that is read here. Save it as UTF-8.`, EXIT.bad);
  }
  // The sample may end within a character, which has four bytes at most.
  const isText = [0, 1, 2, 3].some((cut) => isUtf8(head.subarray(0, head.length - cut)));
  return encoding === 'utf-8' && !isText ? { encoding: 'windows-1252', bomBytes } : { encoding, bomBytes };
}

function firstRecords(sample: Buffer, delimiter: string): string[][] {
  const records: string[][] = [];
  const scanner = new RecordScanner(delimiter.charCodeAt(0), (record) => {
    if (record.isBlank || record.tooLong || records.length > 1) return;
    records.push(fieldTexts(record));
  });
  scanner.push(sample);
  scanner.end();
  return records;
}

function linesOf(names: readonly [string, string], diff: ProfileDiff): string[] {
  const { rows, differingRows, columns, rowClasses } = diff;
  const verdict =
    differingRows === 0
      ? `${names.join(' and ')} make the same of all ${rows} rows.`
      : `${names.join(' and ')} differ in ${differingRows} of ${rows} rows.`;
  const counts = columns.map(({ header, field, cells }) => [
    header,
    field,
    ...CELL_CLASSES.map((one) => cells[one]),
  ]);
  const heads = [
    'column',
    'field',
    'same',
    'differs',
    `only ${names[0]}`,
    `only ${names[1]}`,
    'neither',
    'empty',
  ];
  const classes = rowClasses.map(({ columns: differing, rows: count }) => [
    count,
    differing.length === 0 ? '(none)' : differing.join(', '),
  ]);
  const examples = columns.flatMap((column) => exampleRows(column));
  return [
    verdict,
    '',
    ...table(heads, counts),
    '',
    ...table(['rows', 'columns that differ'], classes),
    ...(examples.length > 0 ? ['', ...table(['row', 'column', 'cell', ...names, 'why'], examples)] : []),
  ];
}

function exampleRows({ header, examples }: ColumnDiff): string[][] {
  return examples.map(({ row, cell, first, second, reason }) => [
    String(row),
    header,
    cell,
    first ?? '(nothing)',
    second ?? '(nothing)',
    reason ?? '',
  ]);
}
