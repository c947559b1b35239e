import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsIn, IsObject, IsOptional, IsString, IsUUID, Length } from 'class-validator';
import type { outputs } from '../../platform/database/index.js';
import { IsName, WorkspacePageQuery } from '../http/index.js';

export type Output = typeof outputs.$inferSelect;

/** What hangs on an output. */
export interface OutputCounts {
  connectedAudiences: number;
  openFaults: number;
}

const OPEN = { type: 'object', additionalProperties: true } as const;

/** What may change later. `settings` and `credentials` replace what was there as a whole. */
export class UpdateOutput {
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
}

export class CreateOutput extends OmitType(UpdateOutput, ['name']) {
  @ApiProperty({ format: 'uuid' })
  @IsUUID()
  workspaceId!: string;

  @ApiProperty({ example: 'webhook' })
  @IsString()
  @Length(1, 100)
  plugin!: string;

  @ApiProperty({ minLength: 1, maxLength: 255 })
  @IsName()
  name!: string;
}

export class OutputsQuery extends WorkspacePageQuery {}

export class DeleteOutputQuery {
  @ApiPropertyOptional({ enum: ['true', 'false'], description: 'true: delete its connections too' })
  @IsOptional()
  @IsIn(['true', 'false'])
  force?: 'true' | 'false';
}

export class OutputView {
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
  @ApiProperty()
  connectedAudiences!: number;
  @ApiProperty()
  openFaults!: number;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ format: 'date-time' })
  updatedAt!: string;
}

export function showOutput(row: Output & OutputCounts, credentialFields: string[]): OutputView {
  const { id, workspaceId, plugin, name, settings, connectedAudiences, openFaults } = row;
  return {
    id,
    workspaceId,
    plugin,
    name,
    settings,
    hasCredentials: row.credentials !== null,
    credentialFields,
    connectedAudiences,
    openFaults,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
