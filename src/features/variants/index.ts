export { VariantSizes } from './variant-sizes.js';
export { VariantsModule } from './variants.module.js';
export { Variants, type AbTest, type AbVariant, type TestWithVariants } from './variants.service.js';
