import { buffer } from 'node:stream/consumers';
import { codeOf } from '../../src/domain/identities/index.js';
import type { IdentityType } from '../../src/kit/index.js';
import type { exportsTable } from '../../src/platform/database/index.js';
import { readZip } from '../support/read-zip.js';
import type { Profiles } from './audit-profiles.js';
import { idOf } from './people.js';
import type { World } from './world.js';

type Export = typeof exportsTable.$inferSelect;

/** Whom a CSV is to have. */
export interface Contents {
  audienceId: number;
  members: readonly string[];
}

const HEADER = 'mpid,scanned_timestamp_ms,identity_value,identity_type';

/** An archive has the members of its versions, all their identities, and a manifest that counts what is there. */
export async function archiveProblems(
  world: World,
  row: Export,
  contents: readonly Contents[],
  profiles: Profiles,
): Promise<string[]> {
  const bytes = await buffer(await world.storage.files.get(row.fileKey ?? ''));
  const zip = readZip(bytes);
  const told = zip.get('manifest.json')?.toString() ?? '';
  const csvs = [...zip].filter(([name]) => name !== 'manifest.json');
  const files = csvs.map(([name, csv]) => ({ name, lines: csv.toString().split('\n') }));
  const problems: string[] = [];
  if (bytes.length !== row.sizeBytes) problems.push(`has ${bytes.length} bytes, not ${row.sizeBytes}`);
  if (files.length !== contents.length) problems.push(`has ${files.length} CSVs, not ${contents.length}`);
  if (counted(row, files) !== countsOf(told)) problems.push(`has ${counted(row, files)}; it says ${told}`);
  if (JSON.stringify(sorted(JSON.parse(told))) !== JSON.stringify(sorted(row.manifest)))
    problems.push('is told of by another manifest than the one in it');
  const leaving = leavingOf(world, profiles);
  for (const [index, { name, lines }] of files.entries()) {
    const wanted = linesOf(row, contents[index]?.members ?? [], profiles);
    const [header, ...has] = lines.filter((line) => !leaving.has(line.slice(0, line.indexOf(','))));
    const differing = [...wanted, ''].findIndex((line, at) => line !== has[at]);
    if (header !== HEADER || differing !== -1 || has.length !== wanted.length + 1) {
      problems.push(
        `${name} has ${has.length - 1} lines, not ${wanted.length}; line ${differing}: ${has[differing]}, not ${wanted[differing]}`,
      );
    }
  }
  return problems;
}

/** Who asked to leave is out of it sooner or later; when, others say. */
function leavingOf({ leavers }: World, profiles: Profiles): Set<string> {
  const ids = new Set(leavers.map(({ person }) => `customer_id=${idOf(person)}`));
  return new Set([...profiles].filter(([, own]) => own.some((one) => ids.has(one))).map(([mpid]) => mpid));
}

/** What a CSV is to have of these members: by mpid, type and value. */
function linesOf(
  { identityTypes, neutraliseFormulas, startedAt }: Export,
  members: readonly string[],
  profiles: Profiles,
): string[] {
  const ascending = members.toSorted((one, other) => (BigInt(one) < BigInt(other) ? -1 : 1));
  return ascending.flatMap((mpid) => {
    const own = (profiles.get(mpid) ?? []).map((one) => {
      const at = one.indexOf('=');
      return { type: one.slice(0, at) as IdentityType, value: one.slice(at + 1) };
    });
    return own
      .filter(({ type }) => identityTypes.includes(type))
      .sort((one, other) => codeOf(one.type) - codeOf(other.type) || (one.value < other.value ? -1 : 1))
      .map(({ type, value }) => {
        const cell = neutraliseFormulas && value.startsWith('+') ? `'${value}` : value;
        return `${mpid},${startedAt?.getTime()},${cell},${type}`;
      });
  });
}

interface File {
  name: string;
  lines: readonly string[];
}

/** The counts of the files as they are. */
function counted({ identityTypes }: Export, files: readonly File[]): string {
  const each = files.map(({ name, lines }) => {
    const rows = lines.slice(1, -1).map((line) => line.split(','));
    return {
      name,
      users: new Set(rows.map(([mpid]) => mpid)).size,
      rows: rows.length,
      types: identityTypes.map((type) => rows.filter((row) => row[3] === type).length),
    };
  });
  const total = (of: (one: (typeof each)[number]) => number) => each.reduce((sum, one) => sum + of(one), 0);
  return JSON.stringify({
    rows: total(({ rows }) => rows),
    types: identityTypes.map((_, index) => total(({ types }) => types[index] ?? 0)),
    each,
  });
}

interface Manifest {
  total_rows: number;
  rows_by_identity: Record<string, number>;
  files: {
    file_name: string;
    total_users: number;
    total_rows: number;
    rows_by_identity: Record<string, number>;
  }[];
}

/** The counts that a manifest tells, as {@link counted}. */
function countsOf(told: string): string {
  const { total_rows: rows, rows_by_identity: types, files } = JSON.parse(told) as Manifest;
  const each = files.map((file) => ({
    name: file.file_name,
    users: file.total_users,
    rows: file.total_rows,
    types: Object.values(file.rows_by_identity),
  }));
  return JSON.stringify({ rows, types: Object.values(types), each });
}

/** With the keys of all objects in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, one]): [string, unknown] => [key, sorted(one)]);
  return Object.fromEntries(entries.sort(([one], [other]) => (one < other ? -1 : 1)));
}
