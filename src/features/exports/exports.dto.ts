import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsEmail,
  IsIn,
  IsInt,
  IsNumberString,
  IsOptional,
  IsString,
  IsUUID,
  Max,
  Min,
} from 'class-validator';
import { IDENTITY_TYPES, type IdentityType } from '../../kit/index.js';
import { EXPORT_STATES, type ExportState } from '../../platform/database/index.js';
import { WorkspacePageQuery } from '../http/index.js';
import type { ExportRow } from './runner/export-plan.js';

export class CreateExport {
  @ApiProperty({
    type: [Number],
    description: 'Audiences of one workspace; each becomes a CSV, or one for each of its variantIds',
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique()
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(Number.MAX_SAFE_INTEGER, { each: true })
  audienceIds!: number[];

  @ApiPropertyOptional({
    type: [String],
    description: 'Variants of A/B tests of these audiences: each becomes a CSV, instead of its full audience',
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @ArrayUnique()
  @IsUUID(undefined, { each: true })
  variantIds?: string[];

  @ApiProperty({
    enum: IDENTITY_TYPES,
    isArray: true,
    description: 'One row for each identity of these types',
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(IDENTITY_TYPES, { each: true })
  identityTypes!: IdentityType[];

  @ApiPropertyOptional({
    format: 'email',
    description: 'Gets a mail with the link once the archive is ready',
  })
  @IsOptional()
  @IsEmail()
  notifyEmail?: string;

  @ApiPropertyOptional({
    default: false,
    description:
      'Puts an apostrophe before values that a spreadsheet would run (also phones: they start with +)',
  })
  @IsOptional()
  @IsBoolean()
  neutraliseFormulas?: boolean;
}

export class ExportsQuery extends WorkspacePageQuery {
  @ApiPropertyOptional({ enum: EXPORT_STATES })
  @IsOptional()
  @IsIn(EXPORT_STATES)
  state?: ExportState;

  @ApiPropertyOptional({ description: 'Only exports that hold this audience' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(Number.MAX_SAFE_INTEGER)
  audienceId?: number;
}

/** What a signed link carries. */
export class DownloadQuery {
  @ApiPropertyOptional({ description: 'Unix seconds; of a signed link' })
  @IsOptional()
  @IsNumberString({ no_symbols: true })
  expires?: string;

  @ApiPropertyOptional({ description: 'Of a signed link' })
  @IsOptional()
  @IsString()
  signature?: string;
}

class ExportError {
  @ApiProperty()
  code!: string;
  @ApiProperty()
  message!: string;
}

export class ExportView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty({ type: [Number] })
  audienceIds!: number[];
  @ApiProperty({ type: [String] })
  variantIds!: string[];
  @ApiProperty({ enum: IDENTITY_TYPES, isArray: true })
  identityTypes!: string[];
  @ApiProperty()
  neutraliseFormulas!: boolean;
  @ApiProperty({ enum: EXPORT_STATES })
  state!: ExportState;
  @ApiProperty({ type: Object, nullable: true, description: 'Version of each audience, by its id' })
  versions!: Record<string, number> | null;
  @ApiProperty({ type: String, nullable: true })
  archiveName!: string | null;
  @ApiProperty({ type: Number, nullable: true })
  sizeBytes!: number | null;
  @ApiProperty({ type: Object, nullable: true, description: 'What manifest.json in the archive says' })
  manifest!: Record<string, unknown> | null;
  @ApiProperty({ type: ExportError, nullable: true })
  error!: ExportError | null;
  @ApiProperty({ type: String, nullable: true, description: 'Signed link of a ready export; editors only' })
  link!: string | null;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  startedAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  finishedAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  expiresAt!: string | null;
}

/** What the API shows of an export. The address of `notifyEmail` is not repeated. */
export function showExport(row: ExportRow, state: ExportState, link: string | null): ExportView {
  return {
    id: row.id,
    workspaceId: row.workspaceId,
    audienceIds: row.audienceIds,
    variantIds: row.variantIds,
    identityTypes: row.identityTypes,
    neutraliseFormulas: row.neutraliseFormulas,
    state,
    versions: row.versions,
    archiveName: row.archiveName,
    sizeBytes: row.sizeBytes,
    // The database does not keep the order of the keys; the file does.
    manifest: row.manifest,
    error: row.error,
    link,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
    expiresAt: row.expiresAt?.toISOString() ?? null,
  };
}
