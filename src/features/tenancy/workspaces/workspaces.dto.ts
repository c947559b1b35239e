import { ApiProperty, ApiPropertyOptional, PickType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  IsUUID,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { IsName, PageQuery } from '../../http/index.js';
import type { WorkspaceSettings } from '../../../platform/database/index.js';
import type { Workspace } from '../scope.js';

/** What a workspace may set. A field that is absent has the default of the hub. */
export class WorkspaceSettingsBody implements WorkspaceSettings {
  @ApiPropertyOptional({ example: 'US', description: 'Region whose calling code a bare phone number gets' })
  @IsOptional()
  @Matches(/^[A-Z]{2}$/, { message: 'defaultPhoneRegion must be an ISO 3166 alpha-2 code such as US' })
  defaultPhoneRegion?: string;

  @ApiPropertyOptional({ minimum: 1, description: 'Most audiences the workspace may hold' })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  audienceLimit?: number;

  @ApiPropertyOptional({
    minimum: 0,
    maximum: 1,
    default: 0.5,
    description: 'Share by which a refresh may shrink',
  })
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(1)
  maxShrinkShare?: number;
}

export class CreateWorkspace {
  @ApiProperty({ format: 'uuid' })
  @IsUUID()
  organizationId!: string;

  @ApiProperty({ minLength: 1, maxLength: 255 })
  @IsName()
  name!: string;

  @ApiProperty({ description: 'Names the workspace in the paths of dropped files', example: '1042' })
  @IsString()
  @Matches(/^[A-Za-z0-9._-]{1,100}$/, { message: 'seatId must be 1 to 100 letters, digits, ".", "_" or "-"' })
  seatId!: string;

  @ApiPropertyOptional({
    example: 'acme.example.com',
    description: 'Where its users log in: the workspace URL that IQM scripts send as X-IAA-HOST',
  })
  @IsOptional()
  @IsString()
  @Length(1, 255)
  host?: string;

  @ApiPropertyOptional({ type: WorkspaceSettingsBody })
  @IsOptional()
  @ValidateNested()
  @Type(() => WorkspaceSettingsBody)
  settings?: WorkspaceSettingsBody;
}

/** `settings` replaces the settings as a whole. */
export class UpdateWorkspace extends PickType(CreateWorkspace, ['settings', 'host']) {
  @ApiPropertyOptional({ minLength: 1, maxLength: 255 })
  @IsOptional()
  @IsName()
  name?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @IsString()
  @Matches(/^[A-Za-z0-9._-]{1,100}$/, { message: 'seatId must be 1 to 100 letters, digits, ".", "_" or "-"' })
  seatId?: string;
}

export class WorkspacesQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  organizationId?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @IsString()
  @Length(1, 100)
  seatId?: string;
}

export class WorkspaceView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  organizationId!: string;
  @ApiProperty()
  name!: string;
  @ApiProperty()
  seatId!: string;
  @ApiProperty({ type: String, nullable: true })
  host!: string | null;
  @ApiProperty({ type: WorkspaceSettingsBody })
  settings!: WorkspaceSettings;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

export function showWorkspace(row: Workspace): WorkspaceView {
  const { id, organizationId, name, seatId, host, settings, createdAt } = row;
  return { id, organizationId, name, seatId, host, settings, createdAt: createdAt.toISOString() };
}
