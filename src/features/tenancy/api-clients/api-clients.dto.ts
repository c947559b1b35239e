import { ApiProperty } from '@nestjs/swagger';
import type { apiClients } from '../../../platform/database/index.js';
import { IsName } from '../../http/index.js';
import { OfWorkspaceOrOrganization } from '../owner.dto.js';

export type ApiClientRow = typeof apiClients.$inferSelect;

/** A program that logs users in: to one workspace, or to any of the organization. */
export class CreateApiClient extends OfWorkspaceOrOrganization {
  @ApiProperty({ minLength: 1, maxLength: 255 })
  @IsName()
  name!: string;
}

export class ApiClientView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  organizationId!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'null: the whole organization' })
  workspaceId!: string | null;
  @ApiProperty()
  name!: string;
  @ApiProperty({ description: 'The Client ID: user name of the Basic authorization of a log-in' })
  clientId!: string;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  revokedAt!: string | null;
}

export class CreatedApiClientView extends ApiClientView {
  @ApiProperty({ description: 'The Client Secret. Shown in this answer only; the hub keeps its hash.' })
  clientSecret!: string;
}

export function showApiClient(row: ApiClientRow): ApiClientView {
  const { id, organizationId, workspaceId, name, clientId } = row;
  return {
    id,
    organizationId,
    workspaceId,
    name,
    clientId,
    createdAt: row.createdAt.toISOString(),
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}
