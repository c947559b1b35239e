import { ApiProperty } from '@nestjs/swagger';
import { IsUUID } from 'class-validator';
import { OPERATIONS, type PlannedOperation } from '../../platform/database/index.js';
import type { DeliveryPlan } from './plans.service.js';

export class ApplyPlan {
  @ApiProperty({ format: 'uuid', description: 'A plan of the connection that was not applied yet' })
  @IsUUID()
  planId!: string;
}

export class PlanSkippedView {
  @ApiProperty({ description: 'As in the outcomes; see docs/faults.md' })
  code!: string;
  @ApiProperty()
  members!: number;
}

export class PlanIdentitiesView {
  @ApiProperty()
  type!: string;
  @ApiProperty({ description: 'Members that have one of the type' })
  members!: number;
}

export class PlannedOperationView implements PlannedOperation {
  @ApiProperty({ enum: OPERATIONS })
  operation!: PlannedOperation['operation'];
  @ApiProperty()
  members!: number;
  @ApiProperty({ type: [PlanSkippedView], description: 'Members that will not be sent, and why' })
  skipped!: PlanSkippedView[];
  @ApiProperty({ type: [PlanIdentitiesView] })
  identities!: PlanIdentitiesView[];
  @ApiProperty({ description: 'Batches' })
  requests!: number;
}

export class PlanUnderWayView {
  @ApiProperty({ format: 'uuid' })
  deliveryId!: string;
  @ApiProperty()
  toVersion!: number;
  @ApiProperty({ nullable: true, type: Number, description: 'Members left; null: not counted yet' })
  left!: number | null;
}

export class PlanView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  connectionId!: string;
  @ApiProperty()
  fromVersion!: number;
  @ApiProperty()
  toVersion!: number;
  @ApiProperty({
    nullable: true,
    type: PlanUnderWayView,
    description: 'A delivery that ends first; the plan is of what comes after it',
  })
  underWay!: PlanUnderWayView | null;
  @ApiProperty({ description: 'Members of all operations; equal to planned of the delivery' })
  members!: number;
  @ApiProperty({ description: 'Of these, those that will not be sent' })
  skipped!: number;
  @ApiProperty({ type: [PlannedOperationView] })
  operations!: PlannedOperationView[];
  @ApiProperty({ description: 'Calls of the partner; more where batches are refused and taken apart' })
  requests!: number;
  @ApiProperty({
    nullable: true,
    type: Number,
    description: "By the output's rate and the pace of its last delivery; null: neither is known",
  })
  estimatedSeconds!: number | null;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ format: 'date-time' })
  expiresAt!: string;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  appliedAt!: string | null;
  @ApiProperty({
    format: 'uuid',
    nullable: true,
    type: String,
    description: 'The delivery that applying it made',
  })
  deliveryId!: string | null;
}

export function showPlan(plan: DeliveryPlan): PlanView {
  const { id, connectionId, fromVersion, toVersion, basis, figures, deliveryId } = plan;
  const { operations, requests, estimatedSeconds } = figures;
  const { underWay } = basis;
  const skipped = operations.flatMap((operation) => operation.skipped);
  return {
    id,
    connectionId,
    fromVersion,
    toVersion,
    underWay: underWay && { deliveryId: underWay.id, toVersion: underWay.toVersion, left: underWay.left },
    members: sumOf(operations),
    skipped: sumOf(skipped),
    operations,
    requests,
    estimatedSeconds,
    createdAt: plan.createdAt.toISOString(),
    expiresAt: plan.expiresAt.toISOString(),
    appliedAt: plan.appliedAt?.toISOString() ?? null,
    deliveryId,
  };
}

function sumOf(parts: readonly { members: number }[]): number {
  return parts.reduce((sum, { members }) => sum + members, 0);
}
