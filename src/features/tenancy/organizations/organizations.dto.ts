import { ApiProperty, ApiPropertyOptional, PartialType } from '@nestjs/swagger';
import { IsOptional, IsString, Length } from 'class-validator';
import { IsName } from '../../http/index.js';
import type { Organization } from '../scope.js';

export class CreateOrganization {
  @ApiProperty({ minLength: 1, maxLength: 255 })
  @IsName()
  name!: string;

  @ApiPropertyOptional({ description: "The account's id in other systems; the IQM account id (owId)" })
  @IsOptional()
  @IsString()
  @Length(1, 255)
  externalId?: string;
}

export class UpdateOrganization extends PartialType(CreateOrganization, { skipNullProperties: false }) {}

export class OrganizationView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty()
  name!: string;
  @ApiProperty({ type: String, nullable: true })
  externalId!: string | null;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

export function showOrganization(row: Organization): OrganizationView {
  const { id, name, externalId, createdAt } = row;
  return { id, name, externalId, createdAt: createdAt.toISOString() };
}
