import { CliError, EXIT, type ExitCode } from '../cli-error.js';
import { table } from '../screen.js';
import { chooseWorkspace } from '../workspace-choice.js';
import type { Session } from './command.js';
import type { Layout } from './drop-file.js';

export interface PreflightOptions {
  workspace: string;
  layout: Layout;
  audience?: string;
  onUnknown?: string;
}

interface Problem {
  row: number | null;
  column: string | null;
  code: string;
  message: string;
  value: string | null;
}

interface Moved {
  field: string;
  from: string;
  to: string;
}

/** What the hub says of a file. */
interface Preflight {
  verdict: 'usable' | 'unusable';
  error: { code: string; message: string } | null;
  file: {
    sizeBytes: number | null;
    encoding: string | null;
    delimiter: string | null;
    columns: { number: number; header: string; field: string | null }[];
    identityTypes: string[];
    endsMidRecord: boolean;
  };
  hints: { columnNumber: number; header: string; suggestion: string }[];
  rows: { read: number; accepted: number; rejected: number } | null;
  problems: Problem[];
  problemCounts: Record<string, number>;
  warnings: { code: string; message: string }[];
  mapping: {
    state: 'first' | 'kept' | 'changed';
    change: { added: string[]; removed: string[]; renamed: Moved[]; changed: Moved[] } | null;
  } | null;
  match: {
    sampledRows: number;
    suppressedRows: number;
    isWhole: boolean;
    matchedRows: number;
    share: number;
    low: number;
    high: number;
  } | null;
  guard: {
    verdict: 'pass' | 'hold' | 'not_estimated';
    message: string | null;
    sizeBefore: number;
    sizeAfter: number | null;
    sizeAfterAtMost: number;
  } | null;
}

/** Problems that are shown; --json has the first 1,000. */
const SHOWN_PROBLEMS = 20;
const DELIMITERS: Readonly<Record<string, string>> = {
  '\t': 'tab',
  ',': 'comma',
  ';': 'semicolon',
  '|': 'bar',
};

/** `hub preflight FILE`: sends the file to be looked at, and says what its import would come to. */
export async function preflightFile(
  session: Session,
  file: string,
  options: PreflightOptions,
): Promise<ExitCode> {
  const { client, screen } = session;
  const audienceId = options.audience === undefined ? undefined : audienceIdOf(options.audience);
  const workspace = await chooseWorkspace(client, options.workspace);
  const { layout, onUnknown } = options;
  const format = /\.xlsx$/i.test(file) ? 'xlsx' : 'csv';
  const query = { workspaceId: workspace.id, layout, format, audienceId, onUnknown };
  const progress = screen.progress();
  const found = await client
    .upload<Preflight>('/preflight', query, file, (done, total) =>
      progress.at(done, total, done < total ? 'sending the file' : 'checking the file'),
    )
    .finally(() => progress.end());
  screen.result(found, [...verdictOf(file, found), ...factsOf(found), ...problemsOf(found)]);
  return found.verdict === 'usable' ? EXIT.done : EXIT.bad;
}

function verdictOf(file: string, { verdict, error }: Preflight): string[] {
  return [`${file} is ${verdict}.`, ...(error ? [`${error.code}: ${error.message}`] : [])];
}

function factsOf({ file, rows, mapping, match, guard, hints, warnings }: Preflight): string[] {
  const { encoding, delimiter, columns, identityTypes } = file;
  const facts = [
    ['Encoding', encoding],
    ['Delimiter', delimiter && (DELIMITERS[delimiter] ?? delimiter)],
    ['Found by', identityTypes.join(', ')],
    ['Rows', rows && `${rows.read} read, ${rows.accepted} accepted, ${rows.rejected} rejected`],
    ['Mapping', mapping && mappingLine(mapping)],
    ['Match rate', rows && matchLine(match)],
    ['Guard', guard && guardLine(guard)],
  ].flatMap(([name, value]) => (value ? [`${name}`.padEnd(11) + value] : []));
  const named = columns.map(({ number, header, field }) => [number, header, field ?? '(attribute)']);
  const hinted = new Set(warnings.map(({ code }) => code)).has('HEADER_HINT');
  return [
    ...(facts.length > 0 ? ['', ...facts] : []),
    ...(named.length > 0 ? ['', ...table(['column', 'header', 'read as'], named)] : []),
    ...(warnings.length > 0
      ? ['', ...warnings.map(({ code, message }) => `Warning ${code}: ${message}`)]
      : []),
    ...(hinted
      ? []
      : hints.map(
          (hint) => `Column ${hint.columnNumber} "${hint.header}": did you mean ${hint.suggestion}?`,
        )),
  ];
}

function mappingLine({ state, change }: NonNullable<Preflight['mapping']>): string {
  if (state === 'first') return 'the columns would be locked by this file';
  if (state === 'kept' || change === null) return 'as in force';
  const moved = ({ field, from, to }: Moved) => `${field} from ${from} to ${to}`;
  const parts = [
    ['added', change.added],
    ['removed', change.removed],
    ['renamed', change.renamed.map(moved)],
    ['changed', change.changed.map(moved)],
  ] as const;
  return parts
    .filter(([, fields]) => fields.length > 0)
    .map(([what, fields]) => `${what} ${fields.join(', ')}`)
    .join('; ');
}

function matchLine(match: Preflight['match']): string {
  if (match === null) return 'not estimated';
  const of = `${match.matchedRows} of ${match.sampledRows - match.suppressedRows} rows`;
  if (match.isWhole) return `${percent(match.share)} (${of} are known people)`;
  return `${percent(match.share)}, between ${percent(match.low)} and ${percent(match.high)} (${of} of a sample)`;
}

function guardLine(guard: NonNullable<Preflight['guard']>): string {
  const after = guard.sizeAfter === null ? `at most ${guard.sizeAfterAtMost}` : String(guard.sizeAfter);
  const sizes = `${guard.sizeBefore} members before, ${after} after`;
  if (guard.verdict === 'hold') return `would hold it: ${guard.message ?? ''}`;
  return guard.verdict === 'pass' ? `would let it pass: ${sizes}` : `not estimated: ${sizes}`;
}

function problemsOf({ problems, problemCounts }: Preflight): string[] {
  if (problems.length === 0) return [];
  const shown = problems.slice(0, SHOWN_PROBLEMS);
  const rows = shown.map(({ row, column, code, value, message }) => [
    row === null ? 'file' : String(row),
    column ?? '',
    code,
    value ?? '',
    message,
  ]);
  const total = Object.values(problemCounts).reduce((sum, count) => sum + count, 0);
  const more = total - shown.length;
  const counts = Object.entries(problemCounts).map(([code, count]) => `${count} ${code}`);
  return [
    '',
    ...table(['row', 'column', 'problem', 'value', 'what is wrong, and what was expected'], rows),
    ...(more > 0 ? [`… and ${more} more. In all: ${counts.join(', ')}.`] : []),
  ];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function audienceIdOf(text: string): number {
  const id = Number(text);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new CliError(`${text} is no audience id: expected a number, as hub audiences lists it.`, EXIT.usage);
}
