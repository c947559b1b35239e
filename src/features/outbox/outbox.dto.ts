import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsUUID } from 'class-validator';
import type { outbox } from '../../platform/database/index.js';
import { PageQuery } from '../http/index.js';

export type OutboxMail = typeof outbox.$inferSelect;

const STATES = ['waiting', 'sent', 'kept', 'failed'] as const;
type MailState = (typeof STATES)[number];

export class OutboxQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  workspaceId?: string;

  @ApiPropertyOptional({ enum: STATES })
  @IsOptional()
  @IsIn(STATES)
  state?: MailState;
}

export class OutboxMailView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty({ description: 'A mail address, or workspace-admins where there was none' })
  recipient!: string;
  @ApiProperty()
  subject!: string;
  @ApiProperty()
  body!: string;
  @ApiProperty({
    enum: STATES,
    description: 'kept: there is no mail server or no recipient, this is the only copy',
  })
  state!: MailState;
  @ApiProperty({ type: String, nullable: true, description: 'Why the last try failed' })
  error!: string | null;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  sentAt!: string | null;
}

export function showMail(row: OutboxMail): OutboxMailView {
  const { id, workspaceId, recipient, subject, body, state, error } = row;
  return {
    id,
    workspaceId,
    recipient,
    subject,
    body,
    state,
    error,
    createdAt: row.createdAt.toISOString(),
    sentAt: row.sentAt?.toISOString() ?? null,
  };
}
