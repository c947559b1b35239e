import { ApiProperty } from '@nestjs/swagger';
import type { Waterfall } from '../../domain/imports/index.js';

/** Where the rows of a file went; each level is the sum of the next. */
export class WaterfallView implements Waterfall {
  @ApiProperty({ description: 'rows = rejected + valid' })
  rows!: number;
  @ApiProperty({ description: 'The sum of rejectedByReason' })
  rejected!: number;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  rejectedByReason!: Record<string, number>;
  @ApiProperty({ description: 'valid = matched + new + unknown' })
  valid!: number;
  @ApiProperty({ description: 'Rows of known people; the sum of matchedBy' })
  matched!: number;
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'Matched rows by the strongest identity type that found their profile',
  })
  matchedBy!: Record<string, number>;
  @ApiProperty({ description: 'Rows of people that nobody knew; matched + new = members + duplicates' })
  new!: number;
  @ApiProperty({ description: 'Rows of people that nobody knows and that the input does not create' })
  unknown!: number;
  @ApiProperty({ description: 'Rows of somebody whom another row of the file is already' })
  duplicates!: number;
  @ApiProperty({ description: 'Different profiles in the file; members = knownProfiles + newProfiles' })
  members!: number;
  @ApiProperty()
  knownProfiles!: number;
  @ApiProperty()
  newProfiles!: number;
  @ApiProperty({ nullable: true, type: Number, description: 'matched / valid; null where no row is valid' })
  matchRate!: number | null;
}
