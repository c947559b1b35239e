import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eq, sql } from 'drizzle-orm';
import * as fc from 'fast-check';
import type { TemporaryDatabase } from '../../../test/support/databases.js';
import {
  deliveryBatches,
  hubFacts,
  isUniqueViolation,
  migrate,
  organizations,
  rowsOf,
  scheduleSlots,
  sqlStateOf,
  workspaces,
} from './index.js';

/** What holds of the metadata database on either side. `open` gives one without its schema. */
export function describeDatabase(open: () => Promise<TemporaryDatabase>): void {
  let database: TemporaryDatabase;

  beforeAll(async () => {
    database = await open();
  });
  afterAll(() => database.close());

  const tables = async () => {
    const found = await database.db.execute(
      sql`select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
    );
    return rowsOf<{ name: string }>(found).map((row) => row.name);
  };

  it('leaves nothing where the migration is cut short', async () => {
    const cut = database.db.transaction(async (tx) => {
      await migrate(tx);
      const inside = await tx.execute(sql`select count(*)::int as n from hub_migrations`);
      expect(rowsOf<{ n: number }>(inside)[0]?.n).toBeGreaterThan(0);
      throw new Error('the process died');
    });
    await expect(cut).rejects.toThrow('the process died');
    expect(await tables()).toEqual([]);
  });

  it('is migrated once, by whichever of five processes comes first', async () => {
    const processes = Array.from({ length: 5 }, () => database.another());
    const applied = await Promise.all(processes.map((each) => migrate(each.db)));
    expect(applied.filter((count) => count > 0)).toHaveLength(1);
    expect(await tables()).toEqual(expect.arrayContaining(['audiences', 'hub_migrations', 'schedule_slots']));
    await Promise.all(processes.map((each) => each.close()));
    expect(await migrate(database.db)).toBe(0);
  });

  it('answers a ping', async () => {
    await expect(database.ping()).resolves.toBeUndefined();
  });

  it('keeps all of a transaction or none of it', async () => {
    const write = (name: string, fail: boolean) =>
      database.db.transaction(async (tx) => {
        await tx.insert(hubFacts).values({ name: `${name}-1`, value: 'x' });
        await tx.insert(hubFacts).values({ name: `${name}-2`, value: 'x' });
        if (fail) throw new Error('on the way');
      });
    await expect(write('none', true)).rejects.toThrow('on the way');
    await write('all', false);
    const names = await database.db.select({ name: hubFacts.name }).from(hubFacts).orderBy(hubFacts.name);
    expect(names).toEqual([{ name: 'all-1' }, { name: 'all-2' }]);
    await database.db.delete(hubFacts);
  });

  it('shows no other connection what is not committed', async () => {
    const other = database.another();
    let unseen: Promise<number> = Promise.resolve(-1);
    await database.db
      .transaction(async (tx) => {
        await tx.insert(hubFacts).values({ name: 'pending', value: 'x' });
        // PGlite queues this behind the transaction; a server answers it at once.
        unseen = Promise.resolve(other.db.$count(hubFacts, eq(hubFacts.value, 'x')));
        if (database.kind === 'postgres') expect(await unseen).toBe(0);
        throw new Error('rolled back');
      })
      .catch(() => undefined);
    expect(await unseen).toBe(0);
    await other.close();
  });

  it('tells a unique violation from other errors, in a transaction and out of it', async () => {
    const twice = async () => {
      await database.db.insert(hubFacts).values({ name: 'one', value: '1' });
      await database.db.insert(hubFacts).values({ name: 'one', value: '2' });
    };
    const caught = await twice().catch((error: unknown) => error);
    expect(isUniqueViolation(caught)).toBe(true);
    const inside = await database.db
      .transaction(async (tx) => tx.insert(hubFacts).values({ name: 'one', value: '3' }))
      .catch((error: unknown) => error);
    expect(isUniqueViolation(inside)).toBe(true);
    const other = await Promise.resolve(database.db.execute(sql`select 1 / 0`)).catch(
      (error: unknown) => error,
    );
    expect([isUniqueViolation(other), sqlStateOf(other)]).toEqual([false, '22012']);
  });

  it('reads back any text and JSON as they were written', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !value.includes('\0'));
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean())),
        async (name, fact) => {
          const json = JSON.stringify(fact);
          const found = await database.db.execute(
            sql`select ${name}::text as name, ${json}::jsonb as fact, ${json}::jsonb::text as text`,
          );
          const [row] = rowsOf<{ name: string; fact: unknown; text: string }>(found);
          expect(row).toMatchObject({ name, fact: JSON.parse(json) });
          expect(JSON.parse(row?.text ?? '')).toEqual(JSON.parse(json));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('reads back 64-bit integers, lists, documents and moments as they were written', async () => {
    const [organization] = await database.db.insert(organizations).values({ name: 'Example' }).returning();
    const organizationId = organization?.id ?? '';
    const [workspace] = await database.db
      .insert(workspaces)
      .values({ organizationId, name: 'Main', seatId: '1', hashForms: ['email_md5', "it's, {odd}"] })
      .returning();
    expect(workspace?.hashForms).toEqual(['email_md5', "it's, {odd}"]);

    const slotMs = Date.parse('2026-03-01T10:00:00.123Z');
    const doneAt = new Date('2026-12-31T23:59:59.999Z');
    await database.db.insert(scheduleSlots).values({ schedule: 'a', slotMs, doneAt });
    const [slot] = await database.db.select().from(scheduleSlots);
    expect(slot).toMatchObject({ slotMs, doneAt });
    expect(Math.abs((slot?.claimedAt.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);

    const batch = {
      deliveryId: '00000000-0000-4000-8000-000000000000',
      position: 1,
      operation: 'add' as const,
      batchId: 'b',
      firstMpid: -(2n ** 63n),
      lastMpid: 2n ** 63n - 1n,
      accepted: 1,
      rejected: 0,
      skipped: 1,
      exceptions: [{ mpid: '-1', status: 'skipped' as const, code: 'NO_IDENTITY', message: 'é "quoted"' }],
    };
    const [written] = await database.db.transaction(async (tx) => {
      await tx.execute(sql`set local session_replication_role = replica`); // no delivery to refer to
      await tx.insert(deliveryBatches).values(batch);
      return tx.select().from(deliveryBatches);
    });
    expect(written).toMatchObject(batch);
  });
}
