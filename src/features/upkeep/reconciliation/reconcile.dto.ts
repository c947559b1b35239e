import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsOptional } from 'class-validator';

export class Reconcile {
  @ApiPropertyOptional({
    description: 'Also sends all members again, once; unless set they are only counted',
  })
  @IsOptional()
  @IsBoolean()
  backfill?: boolean;
}
