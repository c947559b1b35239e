import { fieldText, maskValue, sniffEncoding, type ScannedRecord } from '../../../domain/files/index.js';
import {
  REJECT_REASONS,
  ruleOf,
  type ColumnMapping,
  type Normalised,
  type Rule,
} from '../../../domain/identities/index.js';
import { LocalFile, type Breathe } from './local-file.js';
import { Rejects } from './rejects-file.js';
import type { ExplainRequest, RowExplanation } from './report.js';
import { Sampler } from './sampler.js';
import { scanRecords, structureFaultOf } from './scan.js';

/** Finds the records without a valid identity, as the engine's SQL does, and says why. */
export async function explainFile(request: ExplainRequest, breathe: Breathe): Promise<RowExplanation> {
  const file = LocalFile.open(request.shape.format === 'xlsx' ? request.textPath : request.path);
  try {
    const rejects = Rejects.goOn(request.rejectsPath, request.report.rejectsBytes);
    try {
      const sampler = request.sample && new Sampler(request.sample.rows);
      const { ignoredCells, accepted } = await checkRows(request, file, { rejects, sampler }, breathe);
      rejects.finish();
      return {
        rejected: rejects.count,
        rejectedByReason: rejects.byReason,
        accepted,
        ignoredCells,
        problems: rejects.problems,
        ...(request.sample && sampler ? { sample: sampler.writeTo(request.sample.path) } : {}),
      };
    } finally {
      rejects.close();
    }
  } finally {
    file.close();
  }
}

async function checkRows(
  request: ExplainRequest,
  file: LocalFile,
  outcome: Outcome,
  breathe: Breathe,
): Promise<Pick<RowExplanation, 'ignoredCells' | 'accepted'>> {
  const { report, shape } = request;
  const check = new RowCheck(request, outcome);
  const { bomBytes } = sniffEncoding(file.head());
  let headerPending = shape.header;
  const sink = (record: ScannedRecord) => {
    if (headerPending) headerPending = false;
    else if (structureFaultOf(record, report.columns) === undefined) check.take(record);
    return true;
  };
  await scanRecords(file, { ...report, bomBytes, headerRow: undefined }, sink, breathe);
  return check;
}

/** Where records go. */
interface Outcome {
  rejects: Rejects;
  /** Accepted ones, where a sample is asked for. */
  sampler: Sampler | undefined;
}

interface Cell {
  header: string;
  column: number;
  rule: Rule;
}

class RowCheck {
  readonly ignoredCells: Record<string, number> = {};
  accepted = 0;
  private readonly cells: Cell[];
  /** For each identity, strongest first, indexes in `cells`. */
  private readonly identities: number[][];
  private readonly singleColumn: boolean;

  constructor(
    request: ExplainRequest,
    private readonly outcome: Outcome,
  ) {
    const { mapping, columns } = request.report;
    const { defaultRegion } = request;
    const options = defaultRegion === undefined ? {} : { defaultRegion };
    this.cells = mapping.columns.map(({ header, column, part, partner }) => ({
      header,
      column,
      rule: ruleOf(part, { ...options, ...(partner === undefined ? {} : { partner }) }),
    }));
    this.identities = identitiesOf(mapping);
    this.singleColumn = columns === 1;
  }

  take(record: ScannedRecord): void {
    const values = this.cells.map(({ column, rule }) => rule.apply(fieldText(record, column)));
    const accepted = this.identities.some((indexes) => indexes.every((index) => isValid(values[index])));
    if (accepted) this.accept(record, values);
    else this.reject(record, values);
  }

  private accept(record: ScannedRecord, values: readonly Normalised[]): void {
    this.accepted += 1;
    this.outcome.sampler?.offer(record);
    for (const { reason } of values) {
      if (reason !== undefined) this.ignoredCells[reason] = (this.ignoredCells[reason] ?? 0) + 1;
    }
  }

  private reject(record: ScannedRecord, values: readonly Normalised[]): void {
    const position = { row: record.row, line: record.line };
    const index = this.identities.flat().find((candidate) => values[candidate]?.reason !== undefined);
    const cell = index === undefined ? undefined : this.cells[index];
    const reason = index === undefined ? undefined : values[index]?.reason;
    if (cell !== undefined && reason !== undefined) {
      const message = `The value of ${cell.header} cannot be used; expected ${REJECT_REASONS[reason]}.`;
      const value = maskValue(fieldText(record, cell.column));
      this.outcome.rejects.add({ ...position, column: cell.header, code: reason, message, value });
    } else if (!this.singleColumn) {
      const message = `The record has no identity: expected a value in ${this.cells.map(({ header }) => header).join(', ')}.`;
      this.outcome.rejects.add({ ...position, column: null, code: 'NO_IDENTITY', message, value: null });
    }
  }
}

function identitiesOf(mapping: ColumnMapping): number[][] {
  const indexes = new Map(mapping.columns.map(({ column }, index) => [column, index]));
  return mapping.identities.map(({ columns }) => columns.flatMap((column) => indexes.get(column) ?? []));
}

function isValid(normalised: Normalised | undefined): boolean {
  return normalised !== undefined && normalised.value !== '';
}
