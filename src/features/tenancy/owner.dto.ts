import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsUUID } from 'class-validator';

/** What belongs to one workspace, or to all of an organization. */
export class OfWorkspaceOrOrganization {
  @ApiPropertyOptional({ format: 'uuid', description: 'Needed where workspaceId is absent' })
  @IsOptional()
  @IsUUID()
  organizationId?: string;

  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  workspaceId?: string;
}
