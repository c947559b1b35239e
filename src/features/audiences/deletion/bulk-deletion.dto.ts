import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsInt,
  IsOptional,
  Max,
  Min,
} from 'class-validator';
import { ERRORS, type ErrorCode } from '../../../domain/errors/index.js';
import { GoingConnectionView } from './deletion.dto.js';

const MAX_AT_ONCE = 500;

export class BulkDelete {
  @ApiProperty({ type: [Number], minItems: 1, maxItems: MAX_AT_ONCE, description: 'Audiences, each once' })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_AT_ONCE)
  @ArrayUnique()
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(Number.MAX_SAFE_INTEGER, { each: true })
  ids!: number[];

  @ApiPropertyOptional({ default: false, description: 'Deletes although other things go with them' })
  @IsOptional()
  @IsBoolean()
  confirm?: boolean;
}

class NotDeleted {
  @ApiProperty()
  id!: number;
  @ApiProperty({ enum: Object.keys(ERRORS) })
  code!: ErrorCode;
  @ApiProperty({ description: 'Why it was not deleted, and what to do' })
  message!: string;
}

/** What became of each audience that was to be deleted. */
export class BulkDeleted {
  @ApiProperty({ type: [Number] })
  deleted!: number[];
  @ApiProperty({
    type: [GoingConnectionView],
    description: 'Their connections, and what becomes of what they had sent',
  })
  connections!: GoingConnectionView[];
  @ApiProperty({ type: [NotDeleted] })
  failed!: NotDeleted[];
}
