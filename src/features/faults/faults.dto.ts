import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsUUID, Min } from 'class-validator';
import { FAULT_POLICIES } from '../../domain/faults/index.js';
import { FAULT_KINDS, type FaultKind } from '../../kit/index.js';
import { PageQuery } from '../http/index.js';
import type { Fault } from './fault-log.js';

/** A fault with what its connection joins. */
export interface FaultRow {
  fault: Fault;
  audienceId: number;
  outputId: string;
}

export class FaultsQuery extends PageQuery {
  @ApiPropertyOptional({
    enum: ['true', 'false'],
    description: 'true: open ones only; false: resolved ones only',
  })
  @IsOptional()
  @IsIn(['true', 'false'])
  open?: 'true' | 'false';

  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  workspaceId?: string;

  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  connectionId?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  audienceId?: number;

  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  outputId?: string;
}

export class FaultView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty({ format: 'uuid' })
  connectionId!: string;
  @ApiProperty({ format: 'uuid', nullable: true, type: String })
  deliveryId!: string | null;
  @ApiProperty()
  audienceId!: number;
  @ApiProperty({ format: 'uuid' })
  outputId!: string;
  @ApiProperty({ enum: FAULT_KINDS })
  kind!: FaultKind;
  @ApiProperty({ description: 'See docs/faults.md', example: 'HTTP_401' })
  code!: string;
  @ApiProperty()
  message!: string;
  @ApiProperty({ type: 'object', additionalProperties: true, description: 'Counts, moments and statuses' })
  detail!: Record<string, unknown>;
  @ApiProperty({ description: 'Who has to do what about it' })
  whoActs!: string;
  @ApiProperty({ format: 'date-time' })
  raisedAt!: string;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  resolvedAt!: string | null;
  @ApiProperty({ nullable: true, type: String, description: 'Name of an API key, or "probe"' })
  resolvedBy!: string | null;
  @ApiProperty({ description: 'Tries the hub made by itself since the fault was raised' })
  probes!: number;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  nextProbeAt!: string | null;
}

export function showFault({ fault, audienceId, outputId }: FaultRow): FaultView {
  return {
    id: fault.id,
    workspaceId: fault.workspaceId,
    connectionId: fault.connectionId,
    deliveryId: fault.deliveryId,
    audienceId,
    outputId,
    kind: fault.kind,
    code: fault.code,
    message: fault.message,
    detail: fault.detail,
    whoActs: FAULT_POLICIES[fault.kind].whoActs,
    raisedAt: fault.raisedAt.toISOString(),
    resolvedAt: fault.resolvedAt?.toISOString() ?? null,
    resolvedBy: fault.resolvedBy,
    probes: fault.probes,
    nextProbeAt: fault.nextProbeAt?.toISOString() ?? null,
  };
}
