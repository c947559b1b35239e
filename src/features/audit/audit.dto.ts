import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsISO8601, IsOptional, IsString, IsUUID, Length } from 'class-validator';
import {
  AUDIT_ACTORS,
  AUDIT_OUTCOMES,
  type AuditActorKind,
  type AuditChanges,
  type auditEvents,
  type AuditOutcome,
} from '../../platform/database/index.js';
import { WorkspacePageQuery } from '../http/index.js';

export type AuditEvent = typeof auditEvents.$inferSelect;

const FORMATS = ['json', 'csv', 'ndjson'] as const;
export type AuditFormat = (typeof FORMATS)[number];

export class AuditQuery extends WorkspacePageQuery {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  organizationId?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'Id of an API key, or of a person' })
  @IsOptional()
  @IsUUID()
  actorId?: string;

  @ApiPropertyOptional({ enum: AUDIT_ACTORS })
  @IsOptional()
  @IsIn(AUDIT_ACTORS)
  actorKind?: AuditActorKind;

  @ApiPropertyOptional({ description: 'The whole of it, or its first words', example: 'output' })
  @IsOptional()
  @IsString()
  @Length(1, 100)
  action?: string;

  @ApiPropertyOptional({ example: 'connection' })
  @IsOptional()
  @IsString()
  @Length(1, 100)
  objectType?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @IsString()
  @Length(1, 100)
  objectId?: string;

  @ApiPropertyOptional({ enum: AUDIT_OUTCOMES })
  @IsOptional()
  @IsIn(AUDIT_OUTCOMES)
  outcome?: AuditOutcome;

  @ApiPropertyOptional({ format: 'date-time', description: 'From this moment on' })
  @IsOptional()
  @IsISO8601({ strict: true })
  from?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'Before this moment' })
  @IsOptional()
  @IsISO8601({ strict: true })
  to?: string;

  @ApiPropertyOptional({ enum: FORMATS, description: 'csv and ndjson: everything, without pages' })
  @IsOptional()
  @IsIn(FORMATS)
  format?: AuditFormat;
}

export class AuditEventView {
  @ApiProperty({ description: 'Grows with each row of the hub' })
  sequence!: number;
  @ApiProperty({ format: 'date-time' })
  at!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  organizationId!: string | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  workspaceId!: string | null;
  @ApiProperty({ enum: AUDIT_ACTORS })
  actorKind!: AuditActorKind;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'Id of the API key' })
  actorId!: string | null;
  @ApiProperty({ type: String, nullable: true })
  actorName!: string | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'The person whose key it is' })
  userId!: string | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'X-Request-Id of the answer' })
  requestId!: string | null;
  @ApiProperty({ example: 'connection.update' })
  action!: string;
  @ApiProperty({ example: 'connection' })
  objectType!: string;
  @ApiProperty({ type: String, nullable: true })
  objectId!: string | null;
  @ApiProperty({ enum: AUDIT_OUTCOMES })
  outcome!: AuditOutcome;
  @ApiProperty({ type: String, nullable: true, description: 'See docs/errors.md and docs/faults.md' })
  code!: string | null;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'By field: {from, to}, or "changed" where the value is a secret or personal',
  })
  changes!: AuditChanges;
}

export function showEvent({ at, ...event }: AuditEvent): AuditEventView {
  return { ...event, at: at.toISOString() };
}
