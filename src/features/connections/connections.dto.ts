import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  IsUUID,
  Length,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { MAX_ATTRIBUTE_NAME_LENGTH, MAX_ATTRIBUTES } from '../../domain/identities/index.js';
import { FAULT_KINDS, type FaultKind } from '../../kit/index.js';
import {
  CONNECTION_STATUSES,
  DELIVERY_STATES,
  type ConnectionStatus,
  type DeliveryState,
  type Reconciliation,
} from '../../platform/database/index.js';

import { PageQuery } from '../http/index.js';
import { RemovalView } from './removal/removal.dto.js';

/** Statuses people choose between; `faulted` is the hub's. */
export const CHOSEN_STATUSES = ['active', 'inactive'] as const;
export type ChosenStatus = (typeof CHOSEN_STATUSES)[number];

/** Names of attributes, each once; a name is folded as the headers of files are. */
function AttributeNames(description: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: [String], maxItems: MAX_ATTRIBUTES, description }),
    IsOptional(),
    IsArray(),
    ArrayMaxSize(MAX_ATTRIBUTES),
    IsString({ each: true }),
    Length(1, MAX_ATTRIBUTE_NAME_LENGTH, { each: true }),
    Matches(/^(?=.*\S)[^\p{Cc}\p{Cs}]*$/u, {
      each: true,
      message: 'each attribute must be a name of a column',
    }),
  );
}

const OPEN = { type: 'object', additionalProperties: true } as const;

export class CreateConnection {
  @ApiProperty({ format: 'uuid', description: "An output of the audience's workspace" })
  @IsUUID()
  outputId!: string;

  @ApiPropertyOptional({
    format: 'uuid',
    nullable: true,
    type: String,
    description: 'null: the full audience',
  })
  @IsOptional()
  @IsUUID()
  variantId?: string | null;

  @ApiPropertyOptional({ ...OPEN, description: "By the connectionSettings of the plugin's JSON Schema" })
  @IsOptional()
  @IsObject()
  settings?: Record<string, unknown>;

  @AttributeNames(
    'Attributes that go with the identities, where the output takes any; none unset. See GET /audiences/{id}/attributes',
  )
  attributes?: string[];

  @ApiProperty({ enum: CHOSEN_STATUSES, description: 'inactive: nothing is sent until it is activated' })
  @IsIn(CHOSEN_STATUSES)
  status!: ChosenStatus;
}

export class ConnectionsQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  workspaceId?: string;

  @ApiPropertyOptional({ format: 'uuid' })
  @IsOptional()
  @IsUUID()
  outputId?: string;

  @ApiPropertyOptional({
    enum: CONNECTION_STATUSES,
    description:
      'removing: also of audiences that were deleted; removed: those that are listed no more without this',
  })
  @IsOptional()
  @IsIn(CONNECTION_STATUSES)
  status?: ConnectionStatus;
}

export class DeleteConnectionQuery {
  @ApiPropertyOptional({
    enum: ['true', 'false'],
    description: 'true, for admins: ends it without removing what the partner has, or gives up on a removal',
  })
  @IsOptional()
  @IsIn(['true', 'false'])
  force?: 'true' | 'false';
}

/** `settings` and `attributes` replace what was chosen as a whole, from the next delivery on. */
export class UpdateConnection {
  @ApiPropertyOptional(OPEN)
  @IsOptional()
  @IsObject()
  settings?: Record<string, unknown>;

  @AttributeNames(
    'All attributes that go with the identities from the next delivery on; [] for none. Where there is one more, whom ' +
      'the partner has is sent again once (backfillPending)',
  )
  attributes?: string[];

  @ApiPropertyOptional({ enum: CHOSEN_STATUSES })
  @IsOptional()
  @IsIn(CHOSEN_STATUSES)
  status?: ChosenStatus;
}

export class BulkConnect extends OmitType(CreateConnection, ['variantId']) {
  @ApiPropertyOptional({ type: [Number], maxItems: 1000, description: 'Audiences, each in full' })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(Number.MAX_SAFE_INTEGER, { each: true })
  audienceIds?: number[];

  @ApiPropertyOptional({
    type: [String],
    maxItems: 1000,
    description: 'Variants of A/B tests, each by itself; audienceIds, variantIds or both',
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsUUID(undefined, { each: true })
  variantIds?: string[];
}

export class ConnectionFaultView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ enum: FAULT_KINDS })
  kind!: FaultKind;
  @ApiProperty()
  code!: string;
  @ApiProperty()
  message!: string;
  @ApiProperty({ format: 'date-time' })
  raisedAt!: string;
}

export class ConnectionDeliveryView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ enum: DELIVERY_STATES })
  state!: DeliveryState;
  @ApiProperty()
  toVersion!: number;
  @ApiProperty({ nullable: true, type: Number })
  planned!: number | null;
  @ApiProperty()
  accepted!: number;
  @ApiProperty()
  rejected!: number;
  @ApiProperty()
  skipped!: number;
}

/** Verdicts of comparing the partner's count with the hub's. */
const COUNT_VERDICTS = [
  'agrees',
  'fewer',
  'more',
  'uncounted',
] as const satisfies readonly Reconciliation['verdict'][];
const COUNTED = ['members', 'identities', 'matched'] as const satisfies readonly Reconciliation['of'][];

export class ReconciliationProblemView {
  @ApiProperty({ description: 'See docs/faults.md' })
  code!: string;
  @ApiProperty()
  message!: string;
}

export class ReconciliationView implements Omit<Reconciliation, 'told'> {
  @ApiProperty({ format: 'date-time' })
  reconciledAt!: string;
  @ApiProperty({
    enum: COUNT_VERDICTS,
    description: 'How the count of the partner stands to that of the hub; uncounted: it told none',
  })
  verdict!: Reconciliation['verdict'];
  @ApiProperty({
    enum: COUNTED,
    description: 'What is counted; matched: people of the partner among the members',
  })
  of!: Reconciliation['of'];
  @ApiProperty({ description: 'Version that was counted: the one that the partner has' })
  version!: number;
  @ApiProperty({ nullable: true, type: Number, description: 'What the hub counts as accepted there' })
  hub!: number | null;
  @ApiProperty({ nullable: true, type: Number, description: 'What the partner says it has' })
  partner!: number | null;
  @ApiProperty({ nullable: true, type: Number, description: 'How far both may be apart' })
  tolerance!: number | null;
  @ApiProperty({ description: 'Of the tolerance: sent so shortly before that the count may not show it' })
  settling!: number;
  @ApiProperty({ description: "For how long after a change the partner's count may not show it" })
  lagMs!: number;
  @ApiProperty({ nullable: true, type: ReconciliationProblemView, description: 'null: all is well' })
  problem!: ReconciliationProblemView | null;
  @ApiProperty({
    format: 'date-time',
    nullable: true,
    type: String,
    description: 'When admins were last told by mail that the counts differ; null: not since they agreed',
  })
  toldAt!: string | null;
}

export class ConnectionView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty()
  audienceId!: number;
  @ApiProperty()
  audienceName!: string;
  @ApiProperty({ format: 'uuid' })
  outputId!: string;
  @ApiProperty()
  outputName!: string;
  @ApiProperty()
  plugin!: string;
  @ApiProperty({ format: 'uuid', nullable: true, type: String })
  variantId!: string | null;
  @ApiProperty({ nullable: true, type: String, description: 'null: the full audience' })
  variantName!: string | null;
  @ApiProperty(OPEN)
  settings!: Record<string, unknown>;
  @ApiProperty({ type: [String], description: 'Names of the attributes that go with the identities' })
  attributes!: string[];
  @ApiProperty({ enum: CONNECTION_STATUSES })
  status!: ConnectionStatus;
  @ApiProperty({
    nullable: true,
    type: RemovalView,
    description: 'Once it is deleted: what becomes of what it had sent; lastDelivery has the counts',
  })
  removal!: RemovalView | null;
  @ApiProperty({ nullable: true, type: String, description: "The partner's id of the audience" })
  externalId!: string | null;
  @ApiProperty({ description: 'Version the partner has; 0: nothing was sent yet' })
  deliveredVersion!: number;
  @ApiProperty({ description: 'Published version of the audience' })
  audienceVersion!: number;
  @ApiProperty({ nullable: true, type: ConnectionFaultView, description: 'The newest open fault' })
  openFault!: ConnectionFaultView | null;
  @ApiProperty({ nullable: true, type: ConnectionDeliveryView, description: 'The newest delivery' })
  lastDelivery!: ConnectionDeliveryView | null;
  @ApiProperty({
    nullable: true,
    type: ReconciliationView,
    description: "The newest comparison of the partner's count with the hub's; null: there was none yet",
  })
  reconciliation!: ReconciliationView | null;
  @ApiProperty({
    description:
      'All members are to be sent again, or are being sent, because somebody asked for it or chose further attributes',
  })
  backfillPending!: boolean;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiProperty({ format: 'date-time' })
  updatedAt!: string;
}

export class FailedConnectionView {
  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'null: no audience that you see has the variant',
  })
  audienceId!: number | null;
  @ApiProperty({ type: String, nullable: true, description: 'null: the full audience' })
  variantId!: string | null;
  @ApiProperty({ description: 'See docs/errors.md' })
  code!: string;
  @ApiProperty()
  message!: string;
}

export class BulkConnectView {
  @ApiProperty({ type: [ConnectionView] })
  connected!: ConnectionView[];
  @ApiProperty({ type: [FailedConnectionView] })
  failed!: FailedConnectionView[];
}
