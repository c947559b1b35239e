import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsUUID } from 'class-validator';
import { ROLES, type apiKeys, type Role } from '../../../platform/database/index.js';
import { IsName } from '../../http/index.js';

export type ApiKey = typeof apiKeys.$inferSelect;

/** A key for one workspace, one organization, or (neither given) the whole hub. */
export class CreateApiKey {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  organizationId?: string;

  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  workspaceId?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'The person whose key it is; it ends with them' })
  @IsOptional()
  @IsUUID()
  userId?: string;

  @ApiProperty({ minLength: 1, maxLength: 255 })
  @IsName()
  name!: string;

  @ApiProperty({ enum: ROLES, description: 'At most the role of the key that creates it' })
  @IsIn(ROLES)
  role!: Role;
}

export class UpdateApiKey {
  @ApiProperty({ minLength: 1, maxLength: 255 })
  @IsName()
  name!: string;
}

export class ApiKeyView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  organizationId!: string | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  workspaceId!: string | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  userId!: string | null;
  @ApiProperty()
  name!: string;
  @ApiProperty({ enum: ROLES })
  role!: Role;
  @ApiProperty({ description: 'First characters of the key' })
  prefix!: string;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Exact to a minute' })
  lastUsedAt!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  revokedAt!: string | null;
}

export class CreatedApiKeyView extends ApiKeyView {
  @ApiProperty({ description: 'The key itself. Shown in this answer only; the hub keeps its hash.' })
  key!: string;
}

export function showApiKey(row: ApiKey): ApiKeyView {
  const { id, organizationId, workspaceId, userId, name, role, prefix } = row;
  return {
    id,
    organizationId,
    workspaceId,
    userId,
    name,
    role,
    prefix,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}
