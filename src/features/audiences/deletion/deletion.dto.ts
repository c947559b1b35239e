import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsOptional } from 'class-validator';
import {
  CONNECTION_STATUSES,
  EXPORT_STATES,
  type ConnectionStatus,
} from '../../../platform/database/index.js';
import { ConnectionFaultView, RemovalView } from '../../connections/index.js';

/** `true` and `false` as they stand in a query; all else fails the validation. */
function flag({ value }: { value: unknown }): unknown {
  if (value === 'true') return true;
  return value === 'false' ? false : value;
}

export class DeletionQuery {
  @ApiPropertyOptional({ type: Boolean, description: 'Only says what goes with the audience' })
  @IsOptional()
  @Transform(flag)
  @IsBoolean()
  dryRun?: boolean;

  @ApiPropertyOptional({ type: Boolean, description: 'Deletes although other things go with it' })
  @IsOptional()
  @Transform(flag)
  @IsBoolean()
  confirm?: boolean;
}

export class GoingConnectionView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ description: "The output's name" })
  output!: string;
  @ApiPropertyOptional({ description: "The variant's name; absent: the full audience" })
  variant?: string;
  @ApiProperty({ enum: CONNECTION_STATUSES })
  status!: ConnectionStatus;
  @ApiProperty({ type: RemovalView, description: 'What becomes of what it had sent' })
  removal!: RemovalView;
}

class GoingExport {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ enum: EXPORT_STATES })
  state!: string;
}

/** What goes with an audience. */
export class DeletionView {
  @ApiProperty({ type: [GoingConnectionView] })
  connections!: GoingConnectionView[];
  @ApiProperty({ type: [GoingExport], description: 'Exports that are not made yet' })
  exports!: GoingExport[];
  @ApiPropertyOptional({ type: [String], description: 'Variants of its A/B test, which goes with it' })
  variants?: string[];
  @ApiProperty({ type: [String], description: 'Source keys that make no audience again until lifted' })
  barredKeys!: string[];
}

export class RemovalCountsView {
  @ApiProperty({ nullable: true, type: Number, description: 'Members to take out; null: not counted yet' })
  planned!: number | null;
  @ApiProperty()
  accepted!: number;
  @ApiProperty()
  rejected!: number;
  @ApiProperty()
  skipped!: number;
}

/** A connection that went with its audience, and how far its removal is or how it ended. */
export class GoneConnectionView extends GoingConnectionView {
  @ApiProperty({
    nullable: true,
    type: RemovalCountsView,
    description: 'Of those who are taken out one by one; null: nothing was begun',
  })
  counts!: RemovalCountsView | null;
  @ApiProperty({
    nullable: true,
    type: ConnectionFaultView,
    description: 'What stops it; resume it as any other',
  })
  fault!: ConnectionFaultView | null;
}

/** What became of a deleted audience at the partners. */
export class AudienceRemovalView {
  @ApiProperty()
  audienceId!: number;
  @ApiProperty({ format: 'uuid' })
  workspaceId!: string;
  @ApiProperty()
  name!: string;
  @ApiProperty({ description: 'Name of the API key or user that deleted it' })
  deletedBy!: string;
  @ApiProperty({ format: 'date-time' })
  deletedAt!: string;
  @ApiProperty({
    format: 'date-time',
    nullable: true,
    type: String,
    description: 'When the last removal came to its end; null: not all did',
  })
  finishedAt!: string | null;
  @ApiProperty({ type: [GoneConnectionView], description: 'Also those that had been deleted before it' })
  connections!: GoneConnectionView[];
}
