import { ApiProperty } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';

export class LiftTombstone {
  @ApiProperty({ description: 'The source key that may make an audience again', maxLength: 1024 })
  @IsString()
  @Length(1, 1024)
  key!: string;
}

export class TombstoneView {
  @ApiProperty({ description: 'The source key that makes no audience' })
  key!: string;
  @ApiProperty({ format: 'date-time' })
  tombstonedAt!: string;
}
