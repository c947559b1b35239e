import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsUUID } from 'class-validator';
import { IDENTITY_TYPES, type IdentityType } from '../../kit/index.js';

export class ProfileQuery {
  @ApiPropertyOptional({ format: 'uuid', description: 'May be absent with a key of one workspace' })
  @IsOptional()
  @IsUUID()
  workspaceId?: string;
}

export class IdentityView {
  @ApiProperty({ enum: IDENTITY_TYPES })
  type!: IdentityType;
  @ApiProperty({ description: 'Normalised; masked for viewers' })
  value!: string;
}

export class MembershipView {
  @ApiProperty()
  id!: number;
  @ApiProperty()
  name!: string;
  @ApiProperty({ description: 'Version by which the profile came in last' })
  sinceVersion!: number;
}

export class ProfileView {
  @ApiProperty({ description: 'Signed 64-bit number as text' })
  mpid!: string;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty({ type: [IdentityView], description: 'Strongest type first' })
  identities!: IdentityView[];
  @ApiProperty({ type: [MembershipView], description: 'Audiences whose published version has the profile' })
  audiences!: MembershipView[];
}
