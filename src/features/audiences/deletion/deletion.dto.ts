import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsBoolean, IsOptional } from 'class-validator';
import {
  CONNECTION_STATUSES,
  EXPORT_STATES,
  type ConnectionStatus,
} from '../../../platform/database/index.js';
import { RemovalView } from '../../connections/index.js';

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
