import { ApiProperty, ApiPropertyOptional, PartialType } from '@nestjs/swagger';
import { IsEmail, IsIn, IsOptional, IsString, Length } from 'class-validator';
import {
  UPLOAD_APPROVALS,
  type OrganizationHold,
  type UploadApproval,
} from '../../../platform/database/index.js';
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

  @ApiPropertyOptional({
    enum: UPLOAD_APPROVALS,
    default: 'automatic',
    description: 'manual: an uploaded audience is published once an admin approved it',
  })
  @IsOptional()
  @IsIn(UPLOAD_APPROVALS)
  uploadApproval?: UploadApproval;
}

/** Puts an organization on hold: its users cannot log in, and are told why. */
export class PutOnHold implements OrganizationHold {
  @ApiProperty({ description: 'Told to users who log in' })
  @IsString()
  @Length(1, 1000)
  reason!: string;

  @ApiProperty({ format: 'email', description: 'Whom they can ask' })
  @IsEmail({}, { message: 'supportEmail must be a mail address' })
  supportEmail!: string;
}

export class UpdateOrganization extends PartialType(CreateOrganization, { skipNullProperties: false }) {}

export class OrganizationView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty()
  name!: string;
  @ApiProperty({ type: String, nullable: true })
  externalId!: string | null;
  @ApiProperty({ enum: UPLOAD_APPROVALS })
  uploadApproval!: UploadApproval;
  @ApiProperty({ type: PutOnHold, nullable: true, description: 'Why it is on hold; null: it is not' })
  hold!: OrganizationHold | null;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

export function showOrganization(row: Organization): OrganizationView {
  const { id, name, externalId, uploadApproval, hold, createdAt } = row;
  return { id, name, externalId, uploadApproval, hold, createdAt: createdAt.toISOString() };
}
