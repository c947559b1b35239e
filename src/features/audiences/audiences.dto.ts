import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsOptional, IsString, IsUUID, Length } from 'class-validator';
import { volatility } from '../../domain/audiences/index.js';
import { MAX_TAG_LENGTH } from '../../domain/names/index.js';
import {
  AUDIENCE_KINDS,
  IMPORT_STATES,
  type AudienceKind,
  type ImportState,
} from '../../platform/database/index.js';
import type { RenameAtPartner } from '../connections/index.js';
import { IsName, PageQuery } from '../http/index.js';
import type { AudienceMetrics } from './audience-metrics.js';
import type { Audience } from './audience-records.js';

export const AUDIENCE_SORTS = ['name', 'created', 'updated', 'size'] as const;
export type AudienceSort = (typeof AUDIENCE_SORTS)[number];
/** With `-` before it: descending. */
export const AUDIENCE_ORDERS = AUDIENCE_SORTS.flatMap((sort) => [sort, `-${sort}`] as const);
export type AudienceOrder = (typeof AUDIENCE_ORDERS)[number];

/** How the audience stands: `new` has no version yet; `importing` and `held` are its last import's state. */
export const AUDIENCE_STATUSES = ['new', 'importing', 'held', 'ready'] as const;
export type AudienceStatus = (typeof AUDIENCE_STATUSES)[number];

/** `a,b`, or `tags=a&tags=b`. */
function listed({ value }: { value: unknown }): unknown {
  if (typeof value !== 'string') return value;
  return value.split(',').flatMap((part) => part.trim() || []);
}

export class AudiencesQuery extends PageQuery {
  @ApiPropertyOptional({ enum: AUDIENCE_ORDERS, default: 'name', description: 'With "-": descending' })
  @IsOptional()
  @IsIn(AUDIENCE_ORDERS)
  sort?: AudienceOrder;

  @ApiPropertyOptional({ description: 'Part of the name or the external name, in any case' })
  @IsOptional()
  @IsString()
  @Length(1, 255)
  search?: string;

  @ApiPropertyOptional({
    type: String,
    description: 'Separated by commas; all of them',
    example: 'vip,spring',
  })
  @IsOptional()
  @Transform(listed)
  @IsArray()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  tags?: string[];

  @ApiPropertyOptional({ enum: AUDIENCE_KINDS })
  @IsOptional()
  @IsIn(AUDIENCE_KINDS)
  kind?: AudienceKind;

  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  workspaceId?: string;
}

export class UpdateAudience {
  @ApiPropertyOptional({ minLength: 1, maxLength: 255 })
  @IsOptional()
  @IsName()
  name?: string;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'What partners see; null: the name' })
  @IsOptional()
  @IsName()
  externalName?: string | null;

  @ApiPropertyOptional({
    type: [String],
    description: `All tags; any number, each 1 to ${MAX_TAG_LENGTH} characters, no commas`,
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(10_000)
  @IsString({ each: true })
  tags?: string[];
}

export class DuplicateAudience {
  @ApiPropertyOptional({ minLength: 1, maxLength: 255, description: 'Default: the name with " (copy)"' })
  @IsOptional()
  @IsName()
  name?: string;
}

class ConnectedOutputs {
  @ApiProperty()
  count!: number;
  @ApiProperty({ type: [String] })
  names!: string[];
}

class LastImport {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ enum: IMPORT_STATES })
  state!: ImportState;
}

export class AudienceView {
  @ApiProperty()
  id!: number;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty()
  name!: string;
  @ApiProperty({ type: String, nullable: true })
  externalName!: string | null;
  @ApiProperty({ enum: AUDIENCE_KINDS })
  kind!: AudienceKind;
  @ApiProperty({ enum: AUDIENCE_STATUSES })
  status!: AudienceStatus;
  @ApiProperty({ type: [String] })
  tags!: string[];
  @ApiProperty({ description: 'Published version; 0: none yet' })
  version!: number;
  @ApiProperty({ description: 'Members of the published version' })
  size!: number;
  @ApiProperty()
  addsLast24h!: number;
  @ApiProperty()
  dropsLast24h!: number;
  @ApiProperty({ description: '(adds + drops) / size of the last 24 hours' })
  volatility!: number;
  @ApiProperty({ type: ConnectedOutputs })
  connectedOutputs!: ConnectedOutputs;
  @ApiProperty({ description: 'Open faults of its connections' })
  openFaults!: number;
  @ApiProperty({ description: 'Has an active A/B test' })
  abTest!: boolean;
  @ApiProperty({ type: LastImport, nullable: true })
  lastImport!: LastImport | null;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ format: 'date-time' })
  updatedAt!: string;
}

class RenameView implements RenameAtPartner {
  @ApiProperty({ format: 'uuid' })
  connectionId!: string;
  @ApiProperty()
  outputName!: string;
  @ApiProperty({
    enum: ['told', 'kept'],
    description: 'told: the partner gets the new name by a delivery; kept: it keeps the name that it has',
  })
  outcome!: 'told' | 'kept';
}

export class UpdatedAudienceView extends AudienceView {
  @ApiPropertyOptional({
    type: [RenameView],
    description: 'Where the name that partners see has changed: what becomes of it at each',
  })
  renames?: RenameAtPartner[];
}

export function showAudience(row: Audience, metrics: AudienceMetrics): AudienceView {
  const { addsLast24h, dropsLast24h, outputNames, openFaults, abTest, lastImport } = metrics;
  return {
    id: row.id,
    workspaceId: row.workspaceId,
    name: row.name,
    externalName: row.externalName,
    kind: row.kind,
    status: statusOf(row, lastImport?.state),
    tags: row.tags,
    version: row.version,
    size: row.size,
    addsLast24h,
    dropsLast24h,
    volatility: volatility({ adds: addsLast24h, drops: dropsLast24h, size: row.size }),
    connectedOutputs: { count: outputNames.length, names: outputNames },
    openFaults,
    abTest,
    lastImport,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

function statusOf(row: Audience, lastImport: ImportState | undefined): AudienceStatus {
  if (lastImport === 'queued' || lastImport === 'running') return 'importing';
  if (lastImport === 'held') return 'held';
  return row.version === 0 ? 'new' : 'ready';
}
