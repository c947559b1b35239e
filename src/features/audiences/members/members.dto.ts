import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsArray, IsIn, IsOptional, IsString, IsUUID, Length } from 'class-validator';
import { IDENTITY_TYPES, type IdentityType } from '../../../kit/index.js';
import { PageQuery } from '../../http/index.js';
import { IsMpid } from '../../profiles/index.js';

/** `a,b`, or `identityTypes=a&identityTypes=b`. */
function listed({ value }: { value: unknown }): unknown {
  return typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value;
}

/** `page` only counts along: the pages are read one after another, by `after`. */
export class MembersQuery extends PageQuery {
  @ApiPropertyOptional({ description: '`next` of the page before; absent: from the start' })
  @IsOptional()
  @IsMpid()
  after?: string;

  @ApiPropertyOptional({
    type: String,
    description: 'Separated by commas; default: all',
    example: 'email,phone',
  })
  @IsOptional()
  @Transform(listed)
  @IsArray()
  @IsIn(IDENTITY_TYPES, { each: true })
  identityTypes?: IdentityType[];

  @ApiPropertyOptional({ format: 'uuid', description: 'Only members of this variant of the A/B test' })
  @IsOptional()
  @IsUUID()
  variantId?: string;
}

/** `mpid`, or `identityType` and `identityValue`. */
export class TimelineQuery {
  @ApiPropertyOptional({ description: 'The profile; or name it by an identity' })
  @IsOptional()
  @IsMpid()
  mpid?: string;

  @ApiPropertyOptional({ enum: IDENTITY_TYPES })
  @IsOptional()
  @IsIn(IDENTITY_TYPES)
  identityType?: IdentityType;

  @ApiPropertyOptional({ description: 'As a person would write it; parts of a combination separated by |' })
  @IsOptional()
  @IsString()
  @Length(1, 1024)
  identityValue?: string;
}

export class MemberView {
  @ApiProperty({ description: 'Signed 64-bit number as text' })
  mpid!: string;
  @ApiProperty({ type: Object, description: 'Values by identity type; masked for viewers' })
  identities!: Partial<Record<IdentityType, string[]>>;
}

export class MembersView {
  @ApiProperty({ type: [MemberView] })
  items!: MemberView[];
  @ApiProperty({ type: String, nullable: true, description: 'Pass as `after`; null: this was the last page' })
  next!: string | null;
  @ApiProperty()
  total!: number;
  @ApiProperty({ description: 'As asked for' })
  page!: number;
  @ApiProperty()
  pageSize!: number;
  @ApiProperty({ description: 'The published version that was read' })
  version!: number;
}

class ImportOfVersion {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ description: 'The file' })
  sourceKey!: string;
}

export class VersionView {
  @ApiProperty()
  version!: number;
  @ApiProperty()
  size!: number;
  @ApiProperty()
  added!: number;
  @ApiProperty()
  removed!: number;
  @ApiProperty({ format: 'date-time' })
  publishedAt!: string;
  @ApiProperty({ type: ImportOfVersion, nullable: true, description: 'What made it; null for a copy' })
  import!: ImportOfVersion | null;
}

export class TimelineChange {
  @ApiProperty()
  version!: number;
  @ApiProperty({ enum: ['add', 'remove'] })
  change!: 'add' | 'remove';
  @ApiProperty({ format: 'date-time' })
  at!: string;
  @ApiProperty({
    type: ImportOfVersion,
    nullable: true,
    description: 'Why: the import and its file; null for a copy',
  })
  import!: ImportOfVersion | null;
}

export class TimelineView {
  @ApiProperty()
  audienceId!: number;
  @ApiProperty()
  mpid!: string;
  @ApiProperty({ description: 'In the published version' })
  member!: boolean;
  @ApiProperty({ description: 'Published version' })
  version!: number;
  @ApiProperty({ type: [TimelineChange], description: 'Oldest first' })
  changes!: TimelineChange[];
}
