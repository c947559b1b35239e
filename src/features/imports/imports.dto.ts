import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsUUID, Min } from 'class-validator';
import {
  IMPORT_STATES,
  IMPORT_STEPS,
  type ImportProblem,
  type ImportRows,
  type imports,
  type ImportState,
  type ImportStep,
} from '../../platform/database/index.js';
import { PageQuery, WorkspacePageQuery } from '../http/index.js';
import { MappingChangeView, showChange } from './mapping/mapping.dto.js';
import { isBlocked } from './mapping/mapping.service.js';
import type { ImportProgress } from './pipeline/import-work.js';
import { plainRevision } from './scan/routing.js';
import { WaterfallView } from './waterfall.dto.js';

export class ImportsQuery extends WorkspacePageQuery {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  inputId?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  audienceId?: number;

  @ApiPropertyOptional({ enum: IMPORT_STATES })
  @IsOptional()
  @IsIn(IMPORT_STATES)
  state?: ImportState;
}

export class ImportErrorsQuery extends PageQuery {
  @ApiPropertyOptional({
    enum: ['csv', 'json'],
    description: 'csv: every rejected row as one file, without paging',
  })
  @IsOptional()
  @IsIn(['csv', 'json'])
  format?: 'csv' | 'json';
}

export class ImportProblemView implements ImportProblem {
  @ApiProperty()
  code!: string;
  @ApiProperty({ description: 'What happened, where, what was expected, what to do next' })
  message!: string;
  @ApiPropertyOptional({ enum: IMPORT_STEPS })
  step?: ImportStep;
  @ApiPropertyOptional({ description: '1-based record number, the header included' })
  row?: number;
  @ApiPropertyOptional()
  column?: string;
}

class ImportRowsView implements Omit<ImportRows, 'waterfall'> {
  @ApiProperty({ description: 'read = accepted + rejected' })
  read!: number;
  @ApiProperty({ description: 'accepted = matched + created + unknown + duplicate' })
  accepted!: number;
  @ApiProperty()
  rejected!: number;
  @ApiProperty()
  matched!: number;
  @ApiProperty()
  created!: number;
  @ApiProperty()
  unknown!: number;
  @ApiProperty()
  duplicate!: number;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  rejectedByReason!: Record<string, number>;
}

export class ImportView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty({ format: 'uuid', nullable: true, type: String })
  inputId!: string | null;
  @ApiProperty({ nullable: true, type: Number })
  audienceId!: number | null;
  @ApiProperty()
  audienceName!: string;
  @ApiProperty()
  sourceKey!: string;
  @ApiProperty()
  revision!: string;
  @ApiProperty({ enum: IMPORT_STATES })
  state!: ImportState;
  @ApiProperty({ enum: IMPORT_STEPS, description: 'The step under way, or where it ended' })
  step!: ImportStep;
  @ApiProperty({ type: ImportRowsView, nullable: true })
  rows!: ImportRowsView | null;
  @ApiProperty({
    type: WaterfallView,
    nullable: true,
    description: 'Where the rows went, level by level; null until they are counted, and of old imports',
  })
  waterfall!: WaterfallView | null;
  @ApiProperty({ nullable: true, type: Number })
  added!: number | null;
  @ApiProperty({ nullable: true, type: Number })
  removed!: number | null;
  @ApiProperty({ nullable: true, type: Number, description: 'The version that the import published' })
  version!: number | null;
  @ApiProperty({ type: ImportProblemView, nullable: true })
  error!: ImportProblem | null;
  @ApiProperty({ type: [ImportProblemView] })
  warnings!: ImportProblem[];
  @ApiProperty({
    type: MappingChangeView,
    nullable: true,
    description: 'Of an import that failed with MAPPING_CHANGED: how its columns differ from those in force',
  })
  mappingChange!: MappingChangeView | null;
  @ApiProperty()
  attempts!: number;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  startedAt!: string | null;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  finishedAt!: string | null;
}

export class ImportErrorView {
  @ApiProperty({ nullable: true, type: Number, description: '1-based record number; null: the whole file' })
  row!: number | null;
  @ApiProperty({ nullable: true, type: String })
  column!: string | null;
  @ApiProperty()
  code!: string;
  @ApiProperty()
  message!: string;
  @ApiProperty({ nullable: true, type: String, description: 'Masked' })
  value!: string | null;
}

export class ScanView {
  @ApiProperty({ description: 'Files of this input' })
  listed!: number;
  @ApiProperty({ description: 'Same key and revision as at the last scan' })
  unchanged!: number;
  @ApiProperty({ type: [String], description: 'Ids of the imports that were queued' })
  queued!: string[];
  @ApiProperty({ type: [String], description: 'Ids of failed imports: bad keys, unknown seats' })
  refused!: string[];
  @ApiProperty({ description: 'Keys whose audience was deleted and that make none again' })
  tombstoned!: number;
}

/** An import as the API shows it. */
export function showImport(row: typeof imports.$inferSelect): ImportView {
  const rows = row.rows === null ? null : withoutWaterfall(row.rows);
  return {
    id: row.id,
    workspaceId: row.workspaceId,
    inputId: row.inputId,
    audienceId: row.audienceId,
    audienceName: row.audienceName,
    sourceKey: row.sourceKey,
    revision: plainRevision(row.revision),
    state: row.state,
    step: row.step,
    rows,
    waterfall: row.rows?.waterfall ?? null,
    added: row.added,
    removed: row.removed,
    version: row.version,
    error: row.error,
    warnings: row.warnings,
    mappingChange: isBlocked(row) ? showChange((row.progress as ImportProgress).mappingChange) : null,
    attempts: row.attempts,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}

function withoutWaterfall(counted: ImportRows): ImportRowsView {
  const { waterfall: _, ...rows } = counted;
  return rows;
}
