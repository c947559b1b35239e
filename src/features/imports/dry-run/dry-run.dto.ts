import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, IsUUID, Length, Min } from 'class-validator';
import { HOLD_CODES, type HoldCode } from '../../../domain/imports/index.js';
import { labelOf, type HeaderHint } from '../../../domain/identities/index.js';
import {
  DROP_LAYOUTS,
  IDENTITY_TYPES,
  type DropLayout,
  type FileShape,
  type IdentityType,
} from '../../../kit/index.js';
import { ON_UNKNOWN, type OnUnknown } from '../../../platform/database/index.js';
import { ImportErrorView, ImportProblemView } from '../imports.dto.js';
import { MappingChangeView, showChange } from '../mapping/mapping.dto.js';
import type { DryRunResult } from './dry-run.js';
import type { DryScanFile, DryScanResult } from './dry-scan.service.js';
import type { GuardPreview } from './guard-preview.js';

const FORMATS = ['csv', 'xlsx'] as const satisfies readonly FileShape['format'][];

export class PreflightQuery {
  @ApiProperty({ format: 'uuid' })
  @IsUUID()
  workspaceId!: string;

  @ApiProperty({ enum: DROP_LAYOUTS })
  @IsIn(DROP_LAYOUTS)
  layout!: DropLayout;

  @ApiPropertyOptional({
    enum: FORMATS,
    description: 'xlsx in the layout iqm only; absent: told by the first bytes, else by the name',
  })
  @IsOptional()
  @IsIn(FORMATS)
  format?: FileShape['format'];

  @ApiPropertyOptional({ description: 'The audience that the file would refresh; absent: it would make one' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  audienceId?: number;

  @ApiPropertyOptional({
    enum: ON_UNKNOWN,
    description: "What becomes of unknown people; the layout's rule if absent",
  })
  @IsOptional()
  @IsIn(ON_UNKNOWN)
  onUnknown?: OnUnknown;
}

export class PreflightOfInput {
  @ApiProperty({ description: 'Key of the file, as imports show it in sourceKey' })
  @IsString()
  @Length(1, 1024)
  key!: string;
}

export class ScanRequest {
  @ApiPropertyOptional({ description: 'Say what would be imported, and take nothing up' })
  @IsOptional()
  @IsBoolean()
  dryRun?: boolean;
}

class FileColumnView {
  @ApiProperty({ description: 'Counts from 1' })
  number!: number;
  @ApiProperty()
  header!: string;
  @ApiProperty({
    nullable: true,
    type: String,
    description: 'What it is read as; null: it makes no identity and is kept as an attribute',
  })
  field!: string | null;
}

class HeaderHintView implements HeaderHint {
  @ApiProperty({ description: 'Counts from 1' })
  columnNumber!: number;
  @ApiProperty()
  header!: string;
  @ApiProperty({ description: 'What it was probably meant to be' })
  suggestion!: string;
}

class FileView {
  @ApiProperty({ nullable: true, type: Number })
  sizeBytes!: number | null;
  @ApiProperty({ nullable: true, type: String, example: 'utf-8' })
  encoding!: string | null;
  @ApiProperty({ nullable: true, type: String, example: ',' })
  delimiter!: string | null;
  @ApiProperty({ nullable: true, type: Number })
  columnCount!: number | null;
  @ApiProperty({ type: [FileColumnView], description: 'Of a file whose columns can be used' })
  columns!: FileColumnView[];
  @ApiProperty({
    enum: IDENTITY_TYPES,
    isArray: true,
    description: 'What people are found by, strongest first',
  })
  identityTypes!: IdentityType[];
  @ApiProperty({ description: 'The file stops inside its last record' })
  endsMidRecord!: boolean;
}

class PreflightRowsView {
  @ApiProperty({ description: 'read = accepted + rejected' })
  read!: number;
  @ApiProperty()
  accepted!: number;
  @ApiProperty()
  rejected!: number;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  rejectedByReason!: Record<string, number>;
}

class PreflightProblemView extends ImportErrorView {
  @ApiProperty({ nullable: true, type: Number, description: '1-based line on which the record starts' })
  line!: number | null;
}

class MatchView {
  @ApiProperty({ description: 'Usable rows that were looked up, drawn at random' })
  sampledRows!: number;
  @ApiProperty({
    description:
      'Of those, rows of suppressed people. The share is one of the others; in `rows` they are counted where isWhole',
  })
  suppressedRows!: number;
  @ApiProperty({ description: 'All usable rows were looked up: the share is exact' })
  isWhole!: boolean;
  @ApiProperty({ description: 'Of those, rows of people who are known' })
  matchedRows!: number;
  @ApiProperty({ minimum: 0, maximum: 1 })
  share!: number;
  @ApiProperty({
    minimum: 0,
    maximum: 1,
    description: 'The share of the file is not below this, in 95 of 100 cases',
  })
  low!: number;
  @ApiProperty({ minimum: 0, maximum: 1 })
  high!: number;
}

class PreflightMappingView {
  @ApiProperty({ enum: ['first', 'kept', 'changed'] })
  state!: 'first' | 'kept' | 'changed';
  @ApiProperty({ type: MappingChangeView, nullable: true })
  change!: MappingChangeView | null;
}

class GuardView implements GuardPreview {
  @ApiProperty({ enum: ['pass', 'hold', 'not_estimated'] })
  verdict!: 'pass' | 'hold' | 'not_estimated';
  @ApiProperty({ enum: HOLD_CODES, nullable: true })
  code!: HoldCode | null;
  @ApiProperty({ nullable: true, type: String })
  message!: string | null;
  @ApiProperty()
  sizeBefore!: number;
  @ApiProperty({ nullable: true, type: Number, description: 'Exact; null where only a sample was looked up' })
  sizeAfter!: number | null;
  @ApiProperty({ nullable: true, type: Number })
  added!: number | null;
  @ApiProperty({ nullable: true, type: Number })
  removed!: number | null;
  @ApiProperty({ description: 'Repetitions in the file make it fewer' })
  sizeAfterAtMost!: number;
}

export class PreflightView {
  @ApiProperty({ enum: ['usable', 'unusable'], description: 'unusable: the import would fail' })
  verdict!: 'usable' | 'unusable';
  @ApiProperty({ type: ImportProblemView, nullable: true, description: 'What the import would fail with' })
  error!: ImportProblemView | null;
  @ApiProperty({ type: FileView })
  file!: FileView;
  @ApiProperty({ type: [HeaderHintView] })
  hints!: HeaderHintView[];
  @ApiProperty({ type: PreflightRowsView, nullable: true })
  rows!: PreflightRowsView | null;
  @ApiProperty({ type: [PreflightProblemView], description: 'The first 1,000' })
  problems!: PreflightProblemView[];
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'By code, beyond the first 1,000 too',
  })
  problemCounts!: Record<string, number>;
  @ApiProperty({ type: [ImportProblemView] })
  warnings!: ImportProblemView[];
  @ApiProperty({ type: PreflightMappingView, nullable: true, description: 'Against the columns in force' })
  mapping!: PreflightMappingView | null;
  @ApiProperty({ type: MatchView, nullable: true, description: 'null: not estimated' })
  match!: MatchView | null;
  @ApiProperty({ type: GuardView, nullable: true })
  guard!: GuardView | null;
}

export class DryScanFileView {
  @ApiProperty()
  key!: string;
  @ApiProperty({ nullable: true, type: String })
  audienceName!: string | null;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty({ nullable: true, type: Number, description: 'null: it would make one' })
  audienceId!: number | null;
  @ApiProperty({ type: ImportProblemView, nullable: true, description: 'Why it would be refused unread' })
  problem!: ImportProblemView | null;
  @ApiProperty({ type: PreflightView, nullable: true, description: 'Of the first 20 files' })
  preflight!: PreflightView | null;
}

export class DryScanView {
  @ApiProperty({ description: 'Files of this input' })
  listed!: number;
  @ApiProperty()
  unchanged!: number;
  @ApiProperty()
  tombstoned!: number;
  @ApiProperty({ description: 'Files that a scan would import or refuse' })
  changed!: number;
  @ApiProperty({ type: [DryScanFileView], description: 'The first 1,000 of them' })
  files!: DryScanFileView[];
}

/** The result of a dry run as the API shows it. */
export function showDryRun(result: DryRunResult): PreflightView {
  const { error, rows, warnings, problemCounts, match, guard, mapping, mappingChange } = result;
  const state = mappingChange ? 'changed' : result.isFirst ? 'first' : 'kept';
  return {
    verdict: error === null ? 'usable' : 'unusable',
    error,
    file: fileOf(result),
    hints: [...result.hints],
    rows,
    problems: result.problems.map(({ row, line, column, code, message, value }) => ({
      row,
      line: line ?? null,
      column,
      code,
      message,
      value,
    })),
    problemCounts,
    warnings,
    mapping: mapping === null ? null : { state, change: showChange(mappingChange) },
    match: match && matchOf(match),
    guard,
  };
}

/** What a scan would do, as the API shows it. */
export function showDryScan({ files, ...counts }: DryScanResult): DryScanView {
  return { ...counts, files: files.map((file) => showFile(file)) };
}

function showFile({ preflight, ...file }: DryScanFile): DryScanFileView {
  return { ...file, preflight: preflight && showDryRun(preflight) };
}

function matchOf({
  sampledRows,
  suppressedRows,
  isWhole,
  matchedRows,
  share,
  low,
  high,
}: MatchView): MatchView {
  return { sampledRows, suppressedRows, isWhole, matchedRows, share, low, high };
}

function fileOf({ mapping, sizeBytes, encoding, delimiter, columns, endsMidRecord }: DryRunResult): FileView {
  const mapped = (mapping?.columns ?? []).map(({ header, column, part }) => ({
    number: column + 1,
    header,
    field: labelOf(part),
  }));
  const passed = (mapping?.attributes ?? []).map(({ name, column }) => ({
    number: column + 1,
    header: name,
    field: null,
  }));
  return {
    sizeBytes,
    encoding,
    delimiter,
    columnCount: columns,
    columns: [...mapped, ...passed].toSorted((one, other) => one.number - other.number),
    identityTypes: [...new Set(mapping?.identities.map(({ type }) => type))],
    endsMidRecord,
  };
}
