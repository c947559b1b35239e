import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Matches } from 'class-validator';
import { FAULT_KINDS, type FaultKind } from '../../kit/index.js';
import {
  DELIVERY_KINDS,
  DELIVERY_STATES,
  OPERATIONS,
  PARKED_UNTIL,
  type DeliveryKind,
  type DeliveryState,
  type MemberOutcome,
  type Operation,
} from '../../platform/database/index.js';
import { PageQuery } from '../http/index.js';
import type { DeliveryWithPending } from './deliveries.service.js';

export class DeliveriesQuery extends PageQuery {
  @ApiPropertyOptional({ enum: DELIVERY_STATES })
  @IsOptional()
  @IsIn(DELIVERY_STATES)
  state?: DeliveryState;
}

/** Statuses of outcomes that are kept by person. Everybody else of a delivery was accepted. */
export const OUTCOME_STATUSES = ['rejected', 'skipped'] as const;

export class OutcomesQuery extends PageQuery {
  @ApiPropertyOptional({ enum: OUTCOME_STATUSES })
  @IsOptional()
  @IsIn(OUTCOME_STATUSES)
  status?: MemberOutcome['status'];

  @ApiPropertyOptional({ example: 'NO_ACCEPTED_IDENTITY' })
  @IsOptional()
  @IsString()
  @Matches(/^[\x20-\x7e]{1,200}$/, { message: 'code must be 1 to 200 printable characters' })
  code?: string;

  @ApiPropertyOptional({ enum: OPERATIONS })
  @IsOptional()
  @IsIn(OPERATIONS)
  operation?: Operation;

  @ApiPropertyOptional({ enum: ['csv', 'json'], description: 'csv: all of them as one file, without paging' })
  @IsOptional()
  @IsIn(['csv', 'json'])
  format?: 'csv' | 'json';
}

export class DeliveryErrorView {
  @ApiProperty({ enum: FAULT_KINDS })
  kind!: FaultKind;
  @ApiProperty()
  code!: string;
  @ApiProperty()
  message!: string;
}

export class DeliveryView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty({ format: 'uuid' })
  connectionId!: string;
  @ApiProperty({
    enum: DELIVERY_KINDS,
    description: 'removal: takes away whom a deleted connection had sent',
  })
  kind!: DeliveryKind;
  @ApiProperty({ description: 'Version the partner had before' })
  fromVersion!: number;
  @ApiProperty({ description: 'Version the partner has when it is delivered' })
  toVersion!: number;
  @ApiProperty({ enum: DELIVERY_STATES })
  state!: DeliveryState;
  @ApiProperty({ enum: OPERATIONS, description: 'What is being sent, or was sent last' })
  operation!: Operation;
  @ApiProperty({
    nullable: true,
    type: Number,
    description:
      'Members to deal with; once delivered equal to accepted + rejected + skipped. null: not counted yet',
  })
  planned!: number | null;
  @ApiProperty()
  accepted!: number;
  @ApiProperty()
  rejected!: number;
  @ApiProperty()
  skipped!: number;
  @ApiProperty({ description: 'Members that wait for jobs of the partner to end' })
  pending!: number;
  @ApiProperty({ description: 'How often work on it was begun' })
  attempts!: number;
  @ApiProperty({ description: 'Failed tries in a row' })
  failures!: number;
  @ApiProperty({ nullable: true, type: DeliveryErrorView })
  error!: DeliveryErrorView | null;
  @ApiProperty({ format: 'date-time', nullable: true, type: String, description: 'Not tried before' })
  nextTryAt!: string | null;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  startedAt!: string | null;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  finishedAt!: string | null;
  @ApiProperty({
    format: 'date-time',
    nullable: true,
    type: String,
    description: 'When its outcomes by person were let go of (HUB_OUTCOMES_DAYS); the counts stay',
  })
  outcomesForgottenAt!: string | null;
}

export class OutcomeView implements MemberOutcome {
  @ApiProperty({ nullable: true, type: String, description: 'null: the partner did not say who' })
  mpid!: string | null;
  @ApiProperty({ description: 'Members that it stands for: 1, or those whom the partner did not name' })
  count!: number;
  @ApiProperty({ enum: OPERATIONS })
  operation!: Operation;
  @ApiProperty({ enum: OUTCOME_STATUSES })
  status!: MemberOutcome['status'];
  @ApiProperty({ description: "The partner's code, or one of docs/faults.md" })
  code!: string;
  @ApiProperty()
  message!: string;
  @ApiProperty()
  batchId!: string;
}

export function showDelivery(row: DeliveryWithPending): DeliveryView {
  const { id, workspaceId, connectionId, kind, fromVersion, toVersion, state, planned } = row;
  const { accepted, rejected, skipped, pending, attempts, failures, error } = row;
  const parked = row.notBefore !== null && row.notBefore.getTime() === PARKED_UNTIL.getTime();
  return {
    id,
    workspaceId,
    connectionId,
    kind,
    fromVersion,
    toVersion,
    state,
    operation: row.cursor.operation,
    planned,
    accepted,
    rejected,
    skipped,
    pending,
    attempts,
    failures,
    error,
    nextTryAt: state === 'queued' && !parked ? (row.notBefore?.toISOString() ?? null) : null,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
    outcomesForgottenAt: row.outcomesForgottenAt?.toISOString() ?? null,
  };
}
