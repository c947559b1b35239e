import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsNumber, MaxLength, ValidateNested } from 'class-validator';
import {
  MAX_VARIANT_NAME_LENGTH,
  MAX_VARIANTS,
  MIN_VARIANTS,
  percentageOf,
} from '../../domain/audiences/index.js';
import { RemovalView } from '../connections/index.js';
import { IsName } from '../http/index.js';
import type { TestWithVariants } from '../variants/index.js';

export class GivenVariantBody {
  @ApiProperty({ minLength: 1, maxLength: MAX_VARIANT_NAME_LENGTH, example: 'Push first' })
  @IsName()
  @MaxLength(MAX_VARIANT_NAME_LENGTH)
  name!: string;

  @ApiProperty({ description: 'Above 0 to 100, with at most two decimals', example: 40 })
  @IsNumber()
  percentage!: number;
}

export class SetAbTest {
  @ApiProperty({
    type: [GivenVariantBody],
    minItems: MIN_VARIANTS,
    maxItems: MAX_VARIANTS,
    description: 'Control is not among them: it gets what they leave of 100 %',
  })
  @IsArray()
  @ArrayMinSize(MIN_VARIANTS)
  @ArrayMaxSize(MAX_VARIANTS)
  @ValidateNested({ each: true })
  @Type(() => GivenVariantBody)
  variants!: GivenVariantBody[];
}

export class VariantView {
  @ApiProperty({ format: 'uuid', description: 'variantId of connections and exports' })
  id!: string;
  @ApiProperty()
  name!: string;
  @ApiProperty()
  percentage!: number;
  @ApiProperty({ description: 'The remainder' })
  control!: boolean;
  @ApiProperty({ description: 'Members in the published version' })
  size!: number;
}

export class AbTestView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty()
  audienceId!: number;
  @ApiProperty({ type: [VariantView], description: 'As given, and Control last' })
  variants!: VariantView[];
  @ApiProperty({ description: 'The published version that the sizes are of; 0: none yet' })
  version!: number;
  @ApiProperty({ description: 'Name of the API key or user that saved it' })
  createdBy!: string;
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
}

class EndedConnection {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty({ description: "The variant's name" })
  variant!: string;
  @ApiProperty({ description: "The output's name" })
  output!: string;
  @ApiProperty({ type: RemovalView, description: 'What becomes of what it had sent' })
  removal!: RemovalView;
}

/** What went with a test. */
export class EndedAbTestView {
  @ApiProperty({ format: 'uuid' })
  id!: string;
  @ApiProperty()
  audienceId!: number;
  @ApiProperty({ type: [String], description: 'Names of its variants' })
  variants!: string[];
  @ApiProperty({ type: [EndedConnection] })
  connections!: EndedConnection[];
}

export function showAbTest(
  { test, variants }: TestWithVariants,
  version: number,
  sizes: ReadonlyMap<string, number>,
): AbTestView {
  return {
    id: test.id,
    audienceId: test.audienceId,
    variants: variants.map((variant) => ({
      id: variant.id,
      name: variant.name,
      percentage: percentageOf(variant),
      control: variant.isControl,
      size: sizes.get(variant.id) ?? 0,
    })),
    version,
    createdBy: test.createdBy,
    createdAt: test.createdAt.toISOString(),
  };
}
