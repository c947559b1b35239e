import { Module } from '@nestjs/common';
import { VariantSizes } from './variant-sizes.js';
import { Variants } from './variants.service.js';

/** What other features need to know of A/B tests. Making and deleting them is a feature of its own. */
@Module({ providers: [Variants, VariantSizes], exports: [Variants, VariantSizes] })
export class VariantsModule {}
