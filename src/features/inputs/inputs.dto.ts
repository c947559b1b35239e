import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsObject, IsOptional, IsString, IsUUID, Length } from 'class-validator';
import { ON_UNKNOWN, type inputs, type OnUnknown } from '../../platform/database/index.js';
import { IsName, WorkspacePageQuery } from '../http/index.js';

export type Input = typeof inputs.$inferSelect;

const ROUTINGS = ['workspace', 'organization'] as const;
type Routing = (typeof ROUTINGS)[number];
const OPEN = { type: 'object', additionalProperties: true } as const;

/** What may change later. `settings` and `credentials` replace what was there as a whole. */
export class UpdateInput {
  @ApiPropertyOptional({ minLength: 1, maxLength: 255 })
  @IsOptional()
  @IsName()
  name?: string;

  @ApiPropertyOptional({ ...OPEN, description: "By the plugin's JSON Schema" })
  @IsOptional()
  @IsObject()
  settings?: Record<string, unknown>;

  @ApiPropertyOptional({ ...OPEN, description: "By the plugin's JSON Schema. Encrypted, never returned." })
  @IsOptional()
  @IsObject()
  credentials?: Record<string, unknown>;

  @ApiPropertyOptional({
    enum: ON_UNKNOWN,
    nullable: true,
    description: "null: what the plugin's layout says",
  })
  @IsOptional()
  @IsIn(ON_UNKNOWN)
  onUnknown?: OnUnknown | null;

  @ApiPropertyOptional({
    enum: ROUTINGS,
    description: "Which seats its files may name: its own workspace's, or all of the organization",
  })
  @IsOptional()
  @IsIn(ROUTINGS)
  routing?: Routing;

  @ApiPropertyOptional({ default: true, description: 'false: it is not visited' })
  @IsOptional()
  @IsBoolean()
  enabled?: boolean;
}

export class CreateInput extends OmitType(UpdateInput, ['name']) {
  @ApiProperty({ format: 'uuid' })
  @IsUUID()
  workspaceId!: string;

  @ApiProperty({ example: 'folder-drop' })
  @IsString()
  @Length(1, 100)
  plugin!: string;

  @ApiProperty({ minLength: 1, maxLength: 255 })
  @IsName()
  name!: string;
}

export class InputsQuery extends WorkspacePageQuery {}

export class InputView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty()
  plugin!: string;
  @ApiProperty()
  name!: string;
  @ApiProperty(OPEN)
  settings!: Record<string, unknown>;
  @ApiProperty()
  hasCredentials!: boolean;
  @ApiProperty({ type: [String], description: 'Names of the stored fields' })
  credentialFields!: string[];
  @ApiProperty({ enum: ON_UNKNOWN, nullable: true })
  onUnknown!: OnUnknown | null;
  @ApiProperty({ enum: ROUTINGS })
  routing!: Routing;
  @ApiProperty()
  enabled!: boolean;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  lastScanAt!: string | null;
  @ApiProperty({ ...OPEN, nullable: true, description: 'code and message of the last scan where it failed' })
  lastScanError!: { code: string; message: string } | null;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ format: 'date-time' })
  updatedAt!: string;
}

export function showInput(row: Input, credentialFields: string[]): InputView {
  const { id, workspaceId, plugin, name, settings, onUnknown, routing, enabled, lastScanError } = row;
  return {
    id,
    workspaceId,
    plugin,
    name,
    settings,
    hasCredentials: row.credentials !== null,
    credentialFields,
    onUnknown,
    routing,
    enabled,
    lastScanAt: row.lastScanAt?.toISOString() ?? null,
    lastScanError,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
