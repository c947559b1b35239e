import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../../domain/identities/index.js';
import type { RowsByIdentity } from '../../../domain/exports/index.js';
import { inTargetSql, type AudienceTarget } from '../../../domain/audiences/index.js';
import type { IdentityType } from '../../../kit/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { MERGED, type AudienceKey, type Ledger } from '../../ledger/index.js';
import { lineSql, type LineStyle } from './csv-lines.js';
import { inRangeSql, rangesOf, SPAN_SQL, type MpidRange, type SpanCount } from './ranges.js';

/** Members of a part: large enough for the engine, small enough for memory and the disk. */
export const PART_MEMBERS = 100_000;
/** A part is written again where an import registered identities between counting and writing. */
const PART_TRIES = 4;

/** What goes into one CSV. */
export interface CsvSource {
  key: AudienceKey;
  version: number;
  target: AudienceTarget;
  identityTypes: readonly IdentityType[];
  style: LineStyle;
}

/** Rows of one range of members, in a local file that belongs to the reader. */
export interface CsvPart {
  path: string;
  users: number;
  rows: RowsByIdentity;
}

/** The file and the hub's own counts disagree. */
export class CountsDifferError extends Error {
  override readonly name = 'CountsDifferError';
}

/** Lets the engine write CSVs in parts, ascending by mpid, each checked against counts of the hub's own. */
export class PartWriter {
  #files = 0;

  constructor(
    private readonly warehouse: Warehouse,
    private readonly ledger: Ledger,
    /** Folder for the parts. */
    private readonly folder: string,
    private readonly partMembers = PART_MEMBERS,
  ) {}

  /** The parts of one CSV, made one after another as they are asked for. */
  async *parts(source: CsvSource, signal: AbortSignal): AsyncGenerator<CsvPart, void> {
    for (const range of await this.ranges(source)) {
      signal.throwIfAborted();
      yield await this.part(source, range);
    }
  }

  private async ranges({ key, version }: CsvSource): Promise<MpidRange[]> {
    const counts = await this.warehouse.query<{ span: number; members: string | number }>(
      `SELECT ${SPAN_SQL} AS span, count() AS members FROM ledger
       WHERE audience_id = ${key.audienceId} AND version <= ${version} GROUP BY span`,
      { lane: 'bulk' },
    );
    const spans: SpanCount[] = counts.map((row) => ({ span: row.span, members: Number(row.members) }));
    return rangesOf(spans, this.partMembers);
  }

  private async part(source: CsvSource, range: MpidRange): Promise<CsvPart> {
    const select = this.rowsSql(source, range);
    for (let attempt = 1; ; attempt += 1) {
      const path = join(this.folder, `${this.#files++}.csv`);
      await this.write(path, select, source.style);
      const counted = await this.count(select, source.identityTypes);
      const lines = await countLines(path);
      if (lines === counted.lines) return { path, users: counted.users, rows: counted.rows };
      await rm(path, { force: true });
      if (attempt === PART_TRIES) {
        throw new CountsDifferError(
          `A part of audience ${source.key.audienceId} has ${lines} lines where ${counted.lines} were counted.`,
        );
      }
    }
  }

  private rowsSql(source: CsvSource, range: MpidRange): string {
    const codes = source.identityTypes.map((type) => codeOf(type));
    const condition = `${inRangeSql(range)} AND ${inTargetSql(source.target, 'mpid')}`;
    return this.ledger.memberIdentitiesSql(source.key, source.version, codes, condition);
  }

  private write(path: string, select: string, style: LineStyle): Promise<void> {
    return this.warehouse.unload(
      { path, format: 'TSVRaw', structure: 'line String' },
      `SELECT ${lineSql(style)} AS line FROM (${select}) ORDER BY mpid, type, value`,
      // One writer keeps the order of the rows.
      { settings: { ...MERGED, max_insert_threads: 1 } },
    );
  }

  private async count(
    select: string,
    types: readonly IdentityType[],
  ): Promise<{ users: number; rows: RowsByIdentity; lines: number }> {
    const columns = types.map((type) => `countIf(type = ${codeOf(type)}) AS ${type}`);
    const [row] = await this.warehouse.query<Record<string, string | number>>(
      `SELECT uniqExact(mpid) AS users, count() + sum(countSubstrings(value, '\\n')) AS all_lines, ${columns.join(', ')}
       FROM (${select})`,
      { settings: MERGED, lane: 'bulk' },
    );
    const rows = Object.fromEntries(types.map((type) => [type, Number(row?.[type] ?? 0)])) as RowsByIdentity;
    return { users: Number(row?.users ?? 0), rows, lines: Number(row?.all_lines ?? 0) };
  }
}

const LINE_BREAK = 10;

/** Line breaks of a file; an engine that found nothing may not have made one. */
async function countLines(path: string): Promise<number> {
  let lines = 0;
  try {
    for await (const chunk of createReadStream(path, {
      highWaterMark: 256 * 1024,
    }) as AsyncIterable<Buffer>) {
      for (let at = chunk.indexOf(LINE_BREAK); at !== -1; at = chunk.indexOf(LINE_BREAK, at + 1)) lines += 1;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return lines;
}
