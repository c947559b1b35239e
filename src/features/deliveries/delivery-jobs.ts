import { and, eq, inArray, isNull, sql, sum } from 'drizzle-orm';
import type { KeptJob, PartnerJobs } from '../../host/outputs/index.js';
import { deliveryJobs, type Database } from '../../platform/database/index.js';

/** Nothing waits any longer for jobs that partners have had since before, by the database's clock. */
export const WAITED_FOR_SINCE = sql`now() - interval '1 hour'`;

/** The partner's jobs of one delivery, in the database. */
export class DeliveryJobs implements PartnerJobs {
  constructor(
    private readonly db: Database,
    private readonly deliveryId: string,
  ) {}

  async find(batchId: string): Promise<KeptJob | undefined> {
    const age = sql<string>`extract(epoch from now() - ${deliveryJobs.createdAt}) * 1000`;
    const [row] = await this.db
      .select({ jobId: deliveryJobs.jobId, ageMs: age })
      .from(deliveryJobs)
      .where(this.is(batchId));
    return row && { jobId: row.jobId, ageMs: Number(row.ageMs) };
  }

  async keep(batchId: string, jobId: string, members: number): Promise<void> {
    await this.db
      .insert(deliveryJobs)
      .values({ deliveryId: this.deliveryId, batchId, jobId, members })
      .onConflictDoUpdate({ target: [deliveryJobs.deliveryId, deliveryJobs.batchId], set: { jobId } });
  }

  async answered(batchId: string): Promise<void> {
    await this.db.update(deliveryJobs).set({ answeredAt: new Date() }).where(this.is(batchId));
  }

  async forget(batchId: string): Promise<void> {
    await this.db.delete(deliveryJobs).where(this.is(batchId));
  }

  private is(batchId: string) {
    return and(eq(deliveryJobs.deliveryId, this.deliveryId), eq(deliveryJobs.batchId, batchId));
  }
}

/** Members whose partner has not answered yet, by delivery; those without any are absent. */
export async function pendingMembers(db: Database, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({ id: deliveryJobs.deliveryId, members: sum(deliveryJobs.members) })
    .from(deliveryJobs)
    .where(and(inArray(deliveryJobs.deliveryId, [...ids]), isNull(deliveryJobs.answeredAt)))
    .groupBy(deliveryJobs.deliveryId);
  return new Map(rows.map(({ id, members }) => [id, Number(members ?? 0)]));
}
