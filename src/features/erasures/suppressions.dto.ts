import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsUUID } from 'class-validator';
import { IDENTITY_TYPES, type IdentityType } from '../../kit/index.js';
import { PageQuery } from '../http/index.js';

export class SuppressionsQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'uuid', description: 'May be absent with a key of one workspace' })
  @IsOptional()
  @IsUUID()
  workspaceId?: string;

  @ApiPropertyOptional({ enum: IDENTITY_TYPES })
  @IsOptional()
  @IsIn(IDENTITY_TYPES)
  type?: IdentityType;

  @ApiPropertyOptional({ format: 'uuid', description: 'Entries that this erasure or suppression wrote last' })
  @IsOptional()
  @IsUUID()
  erasureId?: string;
}

export class SuppressionView {
  @ApiProperty({ description: 'A keyed hash in 32 hexadecimal digits: it says nothing of the value' })
  id!: string;
  @ApiProperty({ enum: IDENTITY_TYPES })
  type!: IdentityType;
  @ApiProperty({ format: 'uuid', description: 'The erasure or suppression that wrote it last' })
  erasureId!: string;
  @ApiProperty({ format: 'date-time' })
  at!: string;
}

export class FoundSuppressionView {
  @ApiProperty({ enum: IDENTITY_TYPES })
  type!: IdentityType;
  @ApiProperty({ nullable: true, type: String, description: 'null: not suppressed' })
  id!: string | null;
}

export class SuppressionsFoundView {
  @ApiProperty({
    type: [FoundSuppressionView],
    description: 'In the order of the identities that were given',
  })
  items!: FoundSuppressionView[];
}
