import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import type { outbox } from '../../platform/database/index.js';
import { WorkspacePageQuery } from '../http/index.js';

export type OutboxMail = typeof outbox.$inferSelect;

const STATES = ['waiting', 'sent', 'kept', 'failed'] as const;
type MailState = (typeof STATES)[number];

export class OutboxQuery extends WorkspacePageQuery {
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
  @ApiProperty({ type: String, nullable: true, description: 'What it is about, or digest' })
  kind!: string | null;
  @ApiProperty()
  subject!: string;
  @ApiProperty({ description: 'Plain text; the mail has the same as HTML' })
  body!: string;
  @ApiProperty({
    enum: STATES,
    description: 'kept: there is no mail server or no recipient, this is the only copy',
  })
  state!: MailState;
  @ApiProperty({ type: String, nullable: true, description: 'Why the last try failed' })
  error!: string | null;
  @ApiProperty({ description: 'Tries so far' })
  attempts!: number;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Before this moment it is not tried again',
  })
  nextTryAt!: string | null;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  sentAt!: string | null;
}

export function showMail(row: OutboxMail): OutboxMailView {
  const { id, workspaceId, recipient, kind, subject, body, state, error, attempts } = row;
  return {
    id,
    workspaceId,
    recipient,
    kind,
    subject,
    body,
    state,
    error,
    attempts,
    nextTryAt: (state === 'waiting' && row.notBefore?.toISOString()) || null,
    createdAt: row.createdAt.toISOString(),
    sentAt: row.sentAt?.toISOString() ?? null,
  };
}
