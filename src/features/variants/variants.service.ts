import { Injectable } from '@nestjs/common';
import { and, asc, eq, inArray, isNull } from 'drizzle-orm';
import { HubError } from '../../domain/errors/index.js';
import { abTests, abVariants, type Database, type Transaction } from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';

export type AbTest = typeof abTests.$inferSelect;
export type AbVariant = typeof abVariants.$inferSelect;

/** An A/B test with its variants, Control last. */
export interface TestWithVariants {
  test: AbTest;
  variants: AbVariant[];
}

/** The variants of A/B tests that are there: those of deleted tests are not. */
@Injectable()
export class Variants {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /** The test of an audience, if it has one. */
  async testOf(
    audienceId: number,
    db: Database | Transaction = this.db,
  ): Promise<TestWithVariants | undefined> {
    const [test] = await db
      .select()
      .from(abTests)
      .where(and(eq(abTests.audienceId, audienceId), isNull(abTests.deletedAt)));
    if (!test) return undefined;
    const variants = await db
      .select()
      .from(abVariants)
      .where(eq(abVariants.testId, test.id))
      .orderBy(asc(abVariants.position));
    return { test, variants };
  }

  /** The variant, if it is one of this audience; VARIANT_UNKNOWN otherwise. */
  async require(audienceId: number, variantId: string): Promise<AbVariant> {
    const found = (await this.testOf(audienceId))?.variants.find(({ id }) => id === variantId);
    if (!found) throw variantUnknown(audienceId, variantId);
    return found;
  }

  /** The same, and its test stays as it is until the transaction ends. */
  async lock(tx: Transaction, audienceId: number, variantId: string): Promise<AbVariant> {
    const [found] = await tx
      .select({ variant: abVariants })
      .from(abVariants)
      .innerJoin(abTests, eq(abTests.id, abVariants.testId))
      .where(and(eq(abVariants.id, variantId), eq(abTests.audienceId, audienceId), isNull(abTests.deletedAt)))
      .for('share', { of: abTests });
    if (!found) throw variantUnknown(audienceId, variantId);
    return found.variant;
  }

  /** Audiences by the id of one of their variants; ids that are no variant's are left out. */
  async audiencesOf(variantIds: readonly string[]): Promise<Map<string, number>> {
    if (variantIds.length === 0) return new Map();
    const rows = await this.db
      .select({ id: abVariants.id, audienceId: abTests.audienceId })
      .from(abVariants)
      .innerJoin(abTests, eq(abTests.id, abVariants.testId))
      .where(and(inArray(abVariants.id, [...variantIds]), isNull(abTests.deletedAt)));
    return new Map(rows.map(({ id, audienceId }) => [id, audienceId]));
  }

  /** Tests with their variants of many audiences, by audience. */
  async testsOf(audienceIds: readonly number[]): Promise<Map<number, AbVariant[]>> {
    const tests = new Map<number, AbVariant[]>();
    if (audienceIds.length === 0) return tests;
    const rows = await this.db
      .select({ audienceId: abTests.audienceId, variant: abVariants })
      .from(abVariants)
      .innerJoin(abTests, eq(abTests.id, abVariants.testId))
      .where(and(inArray(abTests.audienceId, [...audienceIds]), isNull(abTests.deletedAt)))
      .orderBy(asc(abVariants.position));
    for (const { audienceId, variant } of rows) {
      tests.set(audienceId, [...(tests.get(audienceId) ?? []), variant]);
    }
    return tests;
  }
}

function variantUnknown(audienceId: number, variantId: string): HubError {
  return new HubError(
    'VARIANT_UNKNOWN',
    `Audience ${audienceId} has no variant ${variantId}. GET /audiences/${audienceId}/ab-test lists its variants; ` +
      'leave variantId out for the full audience.',
    [{ field: 'variantId', message: 'must be a variant of the audience, or absent' }],
  );
}
