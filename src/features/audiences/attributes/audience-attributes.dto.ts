import { ApiProperty } from '@nestjs/swagger';

/** An attribute that members have; what its values are is not told. */
export class AudienceAttributeView {
  @ApiProperty({
    description: 'Header of the column that said it last; choose it by this name for a connection',
  })
  name!: string;
  @ApiProperty({ description: 'Members of the published version that have a value' })
  members!: number;
  @ApiProperty({ description: 'members / size of the audience' })
  coverage!: number;
}
