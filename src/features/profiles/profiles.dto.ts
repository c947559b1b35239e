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
  @ApiPropertyOptional({ description: 'Data partner whose voter id or NPI it is', example: 'l2' })
  partner?: string;
}

export class AttributeView {
  @ApiProperty({ description: 'Header of the column that said it last' })
  name!: string;
  @ApiProperty({ description: 'As in the file; masked for viewers' })
  value!: string;
}

export class MembershipView {
  @ApiProperty()
  id!: number;
  @ApiProperty()
  name!: string;
  @ApiProperty({ description: 'Version by which the profile came in last' })
  sinceVersion!: number;
  @ApiPropertyOptional({ description: 'Name of its variant, where the audience has an A/B test' })
  variant?: string;
}

export class ProfileView {
  @ApiProperty({ description: 'Signed 64-bit number as text' })
  mpid!: string;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty({ type: [IdentityView], description: 'Strongest type first' })
  identities!: IdentityView[];
  @ApiProperty({ type: [AttributeView], description: 'Other columns of files, as the latest import says' })
  attributes!: AttributeView[];
  @ApiProperty({ type: [MembershipView], description: 'Audiences whose published version has the profile' })
  audiences!: MembershipView[];
}
