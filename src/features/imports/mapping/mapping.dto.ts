import { ApiProperty } from '@nestjs/swagger';
import { IsUUID } from 'class-validator';
import { labelOf, type ColumnMapping, type MappingDifference } from '../../../domain/identities/index.js';
import { IDENTITY_TYPES, type IdentityType } from '../../../kit/index.js';
import type { MappingRow } from './mapping.service.js';

export class ApproveMapping {
  @ApiProperty({ format: 'uuid', description: 'The import that is blocked: failed with MAPPING_CHANGED' })
  @IsUUID()
  importId!: string;
}

class MappedColumnView {
  @ApiProperty({ description: 'As written in the file' })
  header!: string;
  @ApiProperty({ example: 'Email SHA-256' })
  field!: string;
}

export class MappingView {
  @ApiProperty({ description: 'Counts from 1; the highest is in force' })
  version!: number;
  @ApiProperty({ type: [MappedColumnView], description: 'The columns that identities are made of' })
  columns!: MappedColumnView[];
  @ApiProperty({ enum: IDENTITY_TYPES, isArray: true, description: 'Strongest first' })
  identityTypes!: IdentityType[];
  @ApiProperty({ format: 'uuid', nullable: true, type: String, description: 'The import that brought it' })
  importId!: string | null;
  @ApiProperty({
    nullable: true,
    type: String,
    description: 'Name of the API key; null: the first file that worked set it',
  })
  approvedBy!: string | null;
  @ApiProperty({ format: 'date-time' })
  approvedAt!: string;
}

class MovedFieldView {
  @ApiProperty({ example: 'Email' })
  field!: string;
  @ApiProperty({ example: 'raw' })
  from!: string;
  @ApiProperty({ example: 'SHA-256' })
  to!: string;
}

export class MappingChangeView implements Omit<MappingDifference, 'sentence'> {
  @ApiProperty({ type: [String], description: 'Fields that the columns in force do not have' })
  added!: string[];
  @ApiProperty({ type: [String], description: 'Fields that the file does not have' })
  removed!: string[];
  @ApiProperty({ type: [MovedFieldView], description: 'The same field under another header' })
  renamed!: MovedFieldView[];
  @ApiProperty({ type: [MovedFieldView], description: 'The same field in another form: raw or a hash' })
  changed!: MovedFieldView[];
}

/** A version of a mapping as the API shows it. */
export function showMapping(row: MappingRow): MappingView {
  const { version, importId, approvedBy, approvedAt } = row;
  const mapping = row.mapping as unknown as ColumnMapping;
  return {
    version,
    columns: mapping.columns.map(({ header, part }) => ({ header, field: labelOf(part) })),
    identityTypes: [...new Set(mapping.identities.map(({ type }) => type))],
    importId,
    approvedBy,
    approvedAt: approvedAt.toISOString(),
  };
}

/** A difference as the API shows it. */
export function showChange(change: MappingDifference | undefined): MappingChangeView | null {
  if (change === undefined) return null;
  const { added, removed, renamed, changed } = change;
  return { added, removed, renamed, changed };
}
