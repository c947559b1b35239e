import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eq, sql } from 'drizzle-orm';
import * as fc from 'fast-check';
import type { TemporaryDatabase } from '../../../test/support/databases.js';
import { until } from '../../../test/support/until.js';
import { imports, leases, organizations, workspaces } from '../database/index.js';
import type { WorkQueue } from '../queue/index.js';
import { FairTurns, LeaseLostError, Leases, WorkLease } from './index.js';

const LONG_MS = 60_000;
const never = new AbortController().signal;

/** What holds of leases on either database. */
export function describeLeases(open: () => Promise<TemporaryDatabase>): void {
  let database: TemporaryDatabase;
  let workspaceId: string;

  beforeAll(async () => {
    database = await open();
    const [organization] = await database.db.insert(organizations).values({ name: 'Example' }).returning();
    const organizationId = organization?.id ?? '';
    const [workspace] = await database.db
      .insert(workspaces)
      .values({ organizationId, name: 'Main', seatId: '1' })
      .returning();
    workspaceId = workspace?.id ?? '';
  });
  afterEach(async () => {
    await database.db.delete(leases);
    await database.db.delete(imports);
  });
  afterAll(() => database.close());

  async function work(values: Partial<typeof imports.$inferInsert> = {}): Promise<string> {
    const [row] = await database.db
      .insert(imports)
      .values({ workspaceId, sourceKey: 'a.csv', revision: '1', audienceName: 'A', source: {}, ...values })
      .returning();
    return row?.id ?? '';
  }

  async function rowOf(id: string) {
    const [row] = await database.db.select().from(imports).where(eq(imports.id, id));
    return row;
  }

  /** The work lease of a process of its own. */
  const processOf = (leaseMs = LONG_MS) =>
    new WorkLease(database.db, new Leases(database.db, leaseMs), 'import');
  const expire = (id: string) =>
    database.db
      .update(imports)
      .set({ leaseUntil: new Date(0) })
      .where(eq(imports.id, id));
  const held = (lease: WorkLease, id: string) => database.db.transaction((tx) => lease.assertHeld(tx, id));

  it('lets one of twenty contenders at a time do what is exclusive, and all of them in the end', async () => {
    const contenders = Array.from({ length: 20 }, () => new Leases(database.db, 400));
    let inside = 0;
    let mostInside = 0;
    await Promise.all(
      contenders.map((own) =>
        own.exclusively('register', never, async () => {
          inside += 1;
          mostInside = Math.max(mostInside, inside);
          await database.ping();
          inside -= 1;
        }),
      ),
    );
    expect(mostInside).toBe(1);
    expect(await database.db.$count(leases)).toBe(0);
  }, 60_000);

  it('keeps an exclusive lease while the work lasts longer than it', async () => {
    const [holder, other] = [new Leases(database.db, 300), new Leases(database.db, 300)];
    const started = Date.now();
    await holder.exclusively('long', never, async ({ signal }) => {
      await until('three leases have passed', () => Date.now() - started > 900);
      expect(await other.acquire('long', randomUUID())).toBe(false);
      expect(signal.aborted).toBe(false);
    });
    expect(await other.acquire('long', randomUUID())).toBe(true);
  });

  it('aborts exclusive work whose lease was taken over, and leaves the new holder alone', async () => {
    const thief = randomUUID();
    const stolen = new Leases(database.db, 300).exclusively('stolen', never, async ({ signal }) => {
      await database.db.update(leases).set({ owner: thief, until: sql`now() + interval '1 hour'` });
      await until('it is aborted', () => signal.aborted);
      signal.throwIfAborted();
    });
    await expect(stolen).rejects.toThrow(LeaseLostError);
    expect(await database.db.select({ owner: leases.owner }).from(leases)).toEqual([{ owner: thief }]);
  });

  it('gives up waiting for its turn when it is told to', async () => {
    await new Leases(database.db, LONG_MS).acquire('busy', randomUUID());
    const stop = new AbortController();
    const waiting = new Leases(database.db, LONG_MS).exclusively('busy', stop.signal, () =>
      Promise.resolve(),
    );
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('never renews into a lease that was released', async () => {
    const own = new Leases(database.db, LONG_MS);
    await own.acquire('done', own.owner);
    expect(await own.renew('done', own.owner)).toBe(true);
    await own.release('done', own.owner);
    expect(await own.renew('done', own.owner)).toBe(false);
    expect(await database.db.$count(leases)).toBe(0);
  });

  it('takes what a dead process held at once where nobody else can be alive', async () => {
    const dead = new Leases(database.db, LONG_MS);
    await dead.acquire('scan', dead.owner);
    const next = new Leases(database.db, LONG_MS);
    expect(await next.acquire('scan', next.owner)).toBe(false);
    await next.releaseAll();
    expect(await next.acquire('scan', next.owner)).toBe(true);
  });

  it('never has two holders, whatever is done in whatever order', async () => {
    const owners = [randomUUID(), randomUUID(), randomUUID()];
    const step = fc.record({
      who: fc.nat(2),
      what: fc.constantFrom('acquire', 'renew', 'release', 'expire'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        await database.db.delete(leases);
        const own = new Leases(database.db, LONG_MS);
        let holder: string | undefined;
        let expired = false;
        for (const { who, what } of steps) {
          const owner = owners[who] ?? '';
          if (what === 'acquire') {
            const free = holder === undefined || holder === owner || expired;
            expect(await own.acquire('one', owner)).toBe(free);
            if (free) [holder, expired] = [owner, false];
          } else if (what === 'renew') {
            expect(await own.renew('one', owner)).toBe(holder === owner);
            if (holder === owner) expired = false;
          } else if (what === 'release') {
            await own.release('one', owner);
            if (holder === owner) holder = undefined;
          } else {
            await database.db.update(leases).set({ until: new Date(0) });
            expired = true;
          }
          if (holder === undefined) expired = false;
          const rows = await database.db.select({ owner: leases.owner }).from(leases);
          expect(rows).toEqual(holder === undefined ? [] : [{ owner: holder }]);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('gives a row of work to one of many processes that claim it at once', async () => {
    const id = await work();
    const claims = await Promise.all(Array.from({ length: 12 }, () => processOf().claim(id)));
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await rowOf(id)).toMatchObject({ state: 'running', attempts: 1, startedAt: expect.any(Date) });
  });

  it('claims nothing that is done, held or not due yet', async () => {
    const lease = processOf();
    const later = await work({ notBefore: new Date(Date.now() + 3_600_000) });
    expect(await lease.claim(later)).toBe(false);
    expect(await lease.claim(await work({ state: 'published' }))).toBe(false);
    expect(await lease.claim(randomUUID())).toBe(false);
    const id = await work();
    expect(await processOf().claim(id)).toBe(true);
    expect(await lease.claim(id)).toBe(false);
    expect(await lease.due(10)).toEqual([]);
  });

  it('takes over the row of a process that died, which then finds out', async () => {
    const [dead, heir] = [processOf(), processOf()];
    const id = await work();
    await dead.claim(id);
    await expire(id);
    expect(await heir.due(10)).toEqual([id]);
    expect(await heir.claim(id)).toBe(true);
    await expect(held(dead, id)).rejects.toThrow(LeaseLostError);
    await expect(held(heir, id)).resolves.toBeUndefined();
    await dead.giveBack(id);
    expect(await rowOf(id)).toMatchObject({ state: 'running', attempts: 2 });
  });

  it('gives back what it holds, so that another process may begin at once', async () => {
    const [first, second] = [processOf(), processOf()];
    const id = await work();
    await first.claim(id);
    await first.giveBack(id);
    expect(await rowOf(id)).toMatchObject({ state: 'queued', leaseOwner: null, leaseUntil: null });
    expect(await second.claim(id)).toBe(true);
    await first.giveBackAll();
    expect(await first.due(10)).toEqual([id]);
  });

  it('lists what is due, oldest first and no more than asked for', async () => {
    const old = await work({ createdAt: new Date('2026-01-01T00:00:00Z') });
    const young = await work({ createdAt: new Date('2026-01-02T00:00:00Z') });
    expect(await processOf().due(10)).toEqual([old, young]);
    expect(await processOf().due(1)).toEqual([old]);
  });

  describe('the turns of seats', () => {
    /** Another seat, with as many rows that wait. */
    async function seat(rows: number, values: Partial<typeof imports.$inferInsert> = {}) {
      const [main] = await database.db.select().from(workspaces).where(eq(workspaces.id, workspaceId));
      const [made] = await database.db
        .insert(workspaces)
        .values({ organizationId: main?.organizationId ?? '', name: 'Other', seatId: randomUUID() })
        .returning();
      const of = { workspaceId: made?.id ?? '', ...values };
      const ids: string[] = [];
      for (let row = 0; row < rows; row += 1) ids.push(await work(of));
      return ids;
    }

    it('let the seat go first that has fewer running, then the one that was served longer ago', async () => {
      const lease = processOf();
      const [a1 = '', a2 = '', a3 = ''] = await seat(3);
      const [b1 = '', b2 = ''] = await seat(2);
      expect(await lease.before(a1)).toBeUndefined();
      await lease.claim(a1);
      expect(await lease.before(a2)).toBe(b1);
      expect(await lease.before(b1)).toBeUndefined();
      await lease.claim(b1);
      // One runs of each; b was served last.
      expect(await lease.before(b2)).toBe(a2);
      expect(await lease.before(a2)).toBeUndefined();
      await database.db
        .update(imports)
        .set({ state: 'published', leaseUntil: null })
        .where(eq(imports.id, b1));
      expect(await lease.before(a3)).toBe(b2);
      expect(await lease.before(b2)).toBeUndefined();
    });

    it('let nobody wait for a seat whose rows are done, held by a worker or not due', async () => {
      const lease = processOf();
      const [own = '', more = ''] = await seat(2);
      await lease.claim(own);
      await seat(1, { state: 'published' });
      await seat(1, { state: 'running', leaseUntil: new Date(Date.now() + LONG_MS) });
      await seat(1, { notBefore: new Date(Date.now() + LONG_MS) });
      expect(await lease.before(more)).toBeUndefined();
      const [dead] = await seat(1, { state: 'running', leaseUntil: new Date(0) });
      expect(await lease.before(more)).toBe(dead);
      expect(await lease.before(own)).toBeUndefined();
    });

    it('list one row of each seat before the second of any', async () => {
      const big = await seat(4);
      const small = await seat(1);
      const middle = await seat(2);
      const due = await processOf().due(6);
      expect(due.slice(0, 3)).toEqual([big[0], small[0], middle[0]]);
      expect(due.slice(3)).toEqual([big[1], middle[1], big[2]]);
    });

    it('put a waiting row of the next seat first, and a row behind, at most three times', async () => {
      const asked: unknown[] = [];
      const enqueue: WorkQueue['enqueue'] = async ({ id }, options) => void asked.push([id, options]);
      const lease = processOf();
      const turns = new FairTurns({ enqueue } as WorkQueue, lease);
      const [first = '', own = ''] = await seat(2);
      await lease.claim(first);
      const [other] = await seat(1);
      for (let pass = 0; pass < 3; pass += 1) expect(await turns.comes(own)).toBe(false);
      expect(asked.slice(0, 2)).toEqual([
        [own, undefined],
        [other, { first: true }],
      ]);
      // Nobody works on the other one, for whatever reason: this one waits no longer.
      expect(await turns.comes(own)).toBe(true);
      expect(asked).toHaveLength(6);
    });
  });

  it('aborts work on a row whose lease another process took', async () => {
    const [slow, other] = [processOf(300), processOf()];
    const id = await work();
    await slow.claim(id);
    const lost = slow.during(id, never, async ({ signal }) => {
      await expire(id);
      // The row may be renewed before the other one comes; it must get it in the end, and the work must hear of it.
      await until('it is taken', async () => (await expire(id), other.claim(id)));
      await until('it is aborted', () => signal.aborted);
      signal.throwIfAborted();
    });
    await expect(lost).rejects.toThrow(LeaseLostError);
  });

  it('asks whether it still has a row once it slept, counted from before it was claimed', async () => {
    let nowMs = 0;
    const slow = new WorkLease(database.db, new Leases(database.db, LONG_MS, () => nowMs), 'import');
    const id = await work();
    await slow.claim(id);
    nowMs = LONG_MS - 1;
    const lost = slow.during(id, never, async ({ confirm }) => {
      expect(confirm()).toBeUndefined();
      nowMs += 1;
      await expect(confirm()).resolves.toBeUndefined();
      expect(confirm()).toBeUndefined();
      await expire(id);
      expect(await processOf().claim(id)).toBe(true);
      nowMs += LONG_MS;
      await confirm();
    });
    await expect(lost).rejects.toThrow(LeaseLostError);
  });
}
