import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsOptional,
  IsString,
  IsUUID,
  Length,
  ValidateNested,
} from 'class-validator';
import { DROP_LAYOUTS, IDENTITY_TYPES, type DropLayout, type IdentityType } from '../../kit/index.js';
import {
  ERASURE_KINDS,
  ERASURE_STATES,
  RECEIPT_STATES,
  type ErasureKind,
  type erasureReceipts,
  type erasures,
  type ErasureState,
  type ReceiptState,
} from '../../platform/database/index.js';
import { WorkspacePageQuery } from '../http/index.js';
import { IsMpid } from '../profiles/index.js';

/** Identities and mpids of one call; more come as a file. */
const MAX_GIVEN = 1000;

export class IdentityGiven {
  @ApiProperty({ enum: IDENTITY_TYPES })
  @IsIn(IDENTITY_TYPES)
  type!: IdentityType;

  @ApiProperty({
    description: 'Raw; normalised as an import would. Parts of a combination are separated by |',
  })
  @IsString()
  @Length(1, 1024)
  value!: string;
}

export class GivePeople {
  @ApiProperty({ format: 'uuid' })
  @IsUUID()
  workspaceId!: string;

  @ApiPropertyOptional({ type: [IdentityGiven], maxItems: MAX_GIVEN })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_GIVEN)
  @ValidateNested({ each: true })
  @Type(() => IdentityGiven)
  identities?: IdentityGiven[];

  @ApiPropertyOptional({ type: [String], maxItems: MAX_GIVEN, description: 'Profiles, by mpid' })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_GIVEN)
  @IsMpid({ each: true })
  mpids?: string[];
}

export class PeopleFileQuery {
  @ApiProperty({ format: 'uuid' })
  @IsUUID()
  workspaceId!: string;

  @ApiPropertyOptional({
    enum: DROP_LAYOUTS,
    default: 'iqm',
    description: 'iqm: columns with a header, as in files of audiences; repro: one customer id a line',
  })
  @IsOptional()
  @IsIn(DROP_LAYOUTS)
  layout?: DropLayout;
}

export class ErasuresQuery extends WorkspacePageQuery {
  @ApiPropertyOptional({ enum: ERASURE_STATES })
  @IsOptional()
  @IsIn(ERASURE_STATES)
  state?: ErasureState;

  @ApiPropertyOptional({ enum: ERASURE_KINDS })
  @IsOptional()
  @IsIn(ERASURE_KINDS)
  kind?: ErasureKind;
}

export class ReceiptQuery {
  @ApiPropertyOptional({ enum: ['csv', 'json'] })
  @IsOptional()
  @IsIn(['csv', 'json'])
  format?: 'csv' | 'json';
}

export class WaiveReceipts {
  @ApiPropertyOptional({ type: [String], description: 'Connections; all that wait if absent' })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_GIVEN)
  @IsUUID(undefined, { each: true })
  connectionIds?: string[];
}

export class ReasonView {
  @ApiProperty()
  code!: string;
  @ApiProperty()
  message!: string;
}

export class ReceiptView {
  @ApiProperty({ format: 'uuid' })
  connectionId!: string;
  @ApiProperty()
  audienceId!: number;
  @ApiProperty()
  output!: string;
  @ApiProperty()
  plugin!: string;
  @ApiProperty({ description: 'Version of the audience by which all of them are out' })
  version!: number;
  @ApiProperty({ enum: RECEIPT_STATES })
  state!: ReceiptState;
  @ApiProperty({
    type: ReasonView,
    nullable: true,
    description: 'Why it waits, or what somebody should know',
  })
  reason!: ReasonView | null;
  @ApiProperty({ format: 'uuid', nullable: true, type: String })
  deliveryId!: string | null;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  deliveredAt!: string | null;
  @ApiProperty({ nullable: true, type: Number, description: 'accepted + rejected + unsupported + notSent' })
  sent!: number | null;
  @ApiProperty({ nullable: true, type: Number, description: 'Removes that the partner took' })
  accepted!: number | null;
  @ApiProperty({ nullable: true, type: Number, description: 'Removes that the partner refused' })
  rejected!: number | null;
  @ApiProperty({ nullable: true, type: Number, description: 'The output cannot remove' })
  unsupported!: number | null;
  @ApiProperty({ nullable: true, type: Number, description: 'Never sent: no identity that the output takes' })
  notSent!: number | null;
  @ApiProperty({ nullable: true, type: String })
  waivedBy!: string | null;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  settledAt!: string | null;
}

export class ErasureView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty({ enum: ERASURE_KINDS })
  kind!: ErasureKind;
  @ApiProperty({ enum: ERASURE_STATES, description: 'waiting: for receipts, or for imports that run' })
  state!: ErasureState;
  @ApiProperty({ description: 'Different identities and mpids that were given' })
  given!: number;
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'Rows of a file that name nobody',
  })
  rejectedByReason!: Record<string, number>;
  @ApiProperty({ nullable: true, type: Number, description: 'Profiles that were found; null: not yet' })
  profiles!: number | null;
  @ApiProperty({ description: 'Versions of audiences that were published without them' })
  audiences!: number;
  @ApiProperty({ type: ReasonView, nullable: true })
  error!: ReasonView | null;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ format: 'date-time', nullable: true, type: String })
  finishedAt!: string | null;
}

export class ErasureWithReceiptsView extends ErasureView {
  @ApiProperty({ type: [ReceiptView], description: 'One for every connection of an audience that had them' })
  receipts!: ReceiptView[];
}

export function showErasure(
  row: typeof erasures.$inferSelect,
  receipts: readonly (typeof erasureReceipts.$inferSelect)[],
): ErasureWithReceiptsView;
export function showErasure(row: typeof erasures.$inferSelect): ErasureView;
export function showErasure(
  row: typeof erasures.$inferSelect,
  receipts?: readonly (typeof erasureReceipts.$inferSelect)[],
): ErasureView | ErasureWithReceiptsView {
  const { id, workspaceId, kind, state, given, rejectedByReason, profiles, audiences, error } = row;
  return {
    id,
    workspaceId,
    kind,
    state,
    given,
    rejectedByReason,
    profiles,
    audiences,
    error,
    createdAt: row.createdAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
    ...(receipts && { receipts: receipts.map(showReceipt) }),
  };
}

export function showReceipt(row: typeof erasureReceipts.$inferSelect): ReceiptView {
  const { connectionId, audienceId, plugin, version, state, reason, deliveryId, waivedBy } = row;
  const { sent, accepted, rejected, unsupported, notSent } = row;
  return {
    connectionId,
    audienceId,
    output: row.outputName,
    plugin,
    version,
    state,
    reason,
    deliveryId,
    deliveredAt: row.deliveredAt?.toISOString() ?? null,
    sent,
    accepted,
    rejected,
    unsupported,
    notSent,
    waivedBy,
    settledAt: row.settledAt?.toISOString() ?? null,
  };
}
