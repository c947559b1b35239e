import { Injectable } from '@nestjs/common';
import { and, eq, inArray, isNull } from 'drizzle-orm';
import { percentageOf, planVariants, type PlannedVariant } from '../../domain/audiences/index.js';
import { HubError, notFound } from '../../domain/errors/index.js';
import { recordAudit } from '../../platform/audit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import {
  abTests,
  abVariants,
  audiences,
  connections,
  isUniqueViolation,
  type Database,
  type Transaction,
} from '../../platform/database/index.js';
import { InjectClock, InjectDatabase } from '../../platform/nest/index.js';
import { AudienceRecords, type Audience } from '../audiences/index.js';
import { ConnectionRemovals } from '../connections/index.js';
import type { Principal } from '../tenancy/index.js';
import { Variants, VariantSizes } from '../variants/index.js';
import { showAbTest, type AbTestView, type EndedAbTestView, type SetAbTest } from './ab-tests.dto.js';

/** A/B tests: an audience in variants that are connected each by itself. */
@Injectable()
export class AbTestsService {
  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectClock() private readonly clock: Clock,
    private readonly records: AudienceRecords,
    private readonly variants: Variants,
    private readonly sizes: VariantSizes,
    private readonly removals: ConnectionRemovals,
  ) {}

  /** Saves the test. WRONG_STATE where the audience has one: its members would change variants. */
  async set(principal: Principal, audienceId: number, given: SetAbTest): Promise<AbTestView> {
    const { audience } = await this.records.require(principal, audienceId);
    const plan = planVariants(given.variants);
    if ('problems' in plan) {
      const [first] = plan.problems;
      const told = `${first?.field ?? 'variants'} ${first?.message ?? 'cannot be used'}`;
      throw new HubError('VALIDATION_FAILED', `The A/B test was not saved: ${told}.`, plan.problems);
    }
    await this.db
      .transaction((tx) => this.save(tx, principal, audience, plan.variants))
      .catch((error: unknown) => {
        throw isUniqueViolation(error) ? hasOne(audienceId) : error;
      });
    return this.get(principal, audienceId);
  }

  /** NOT_FOUND where the audience has no test. */
  async get(principal: Principal, audienceId: number): Promise<AbTestView> {
    const { audience } = await this.records.require(principal, audienceId);
    const found = await this.variants.testOf(audienceId);
    if (!found) throw noTest(audienceId);
    return showAbTest(found, audience.version, await this.sizes.of(audience, found.variants));
  }

  /**
   * Ends the test and, in the same transaction, the connections of its variants: what they had sent is removed at their
   * partners. The full audience's stay.
   */
  async delete(principal: Principal, audienceId: number): Promise<EndedAbTestView> {
    await this.records.require(principal, audienceId);
    const found = await this.variants.testOf(audienceId);
    if (!found) throw noTest(audienceId);
    const { test, variants } = found;
    const ofVariants = inArray(
      connections.variantId,
      variants.map(({ id }) => id),
    );
    const foreseen = await this.removals.foresee(ofVariants, principal.name);
    const begun = await this.db.transaction(async (tx) => {
      const [ended] = await tx
        .update(abTests)
        .set({ deletedAt: this.clock.now() })
        .where(and(eq(abTests.id, test.id), isNull(abTests.deletedAt)))
        .returning();
      if (!ended) throw noTest(audienceId);
      const removals = await this.removals.begin(tx, ofVariants, foreseen, principal.name);
      await recordAudit(tx, {
        action: 'audience.ab-test.delete',
        object: { type: 'audience', id: audienceId },
        workspaceId: test.workspaceId,
        changes: {
          variants: { from: variants.map(({ name }) => name) },
          connections: { from: removals.going.length },
        },
      });
      return removals;
    });
    await this.removals.wake(begun);
    const ended = begun.going.map(({ id, variant, output, removal }) => ({
      id,
      variant: variant ?? '',
      output,
      removal,
    }));
    return { id: test.id, audienceId, variants: variants.map(({ name }) => name), connections: ended };
  }

  private async save(
    tx: Transaction,
    principal: Principal,
    { id: audienceId, workspaceId }: Audience,
    planned: readonly PlannedVariant[],
  ): Promise<void> {
    // So that the audience is not deleted meanwhile. That there is one test at a time is the index's affair.
    const [there] = await tx
      .select({ id: audiences.id })
      .from(audiences)
      .where(and(eq(audiences.id, audienceId), isNull(audiences.deletedAt)))
      .for('share');
    if (!there) throw notFound('audience', audienceId);
    const [test] = await tx
      .insert(abTests)
      .values({ workspaceId, audienceId, createdBy: principal.name, createdAt: this.clock.now() })
      .returning();
    if (!test) throw new Error('The test was not written.');
    const rows = planned.map((variant, position) => ({ ...variant, position, testId: test.id }));
    await tx.insert(abVariants).values(rows);
    await recordAudit(tx, {
      action: 'audience.ab-test.set',
      object: { type: 'audience', id: audienceId },
      workspaceId,
      changes: {
        variants: {
          to: planned.map((variant) => ({ name: variant.name, percentage: percentageOf(variant) })),
        },
      },
    });
  }
}

function hasOne(audienceId: number): HubError {
  return new HubError(
    'WRONG_STATE',
    `Audience ${audienceId} has an A/B test, which is fixed once saved: another one would give members other ` +
      `variants. Delete it first (DELETE /audiences/${audienceId}/ab-test), then save the new one.`,
  );
}

function noTest(audienceId: number): HubError {
  return new HubError('NOT_FOUND', `Audience ${audienceId} has no A/B test.`);
}
