import { eq } from 'drizzle-orm';
import { ErasurePeople } from '../../src/features/erasures/erasure-people.js';
import { ErasureRecords } from '../../src/features/erasures/erasure-records.js';
import { ErasureRunner } from '../../src/features/erasures/erasure-runner.js';
import { ForgetPeople } from '../../src/features/erasures/forget-people.js';
import { LeaveAudiences } from '../../src/features/erasures/leave-audiences.js';
import { Receipts } from '../../src/features/erasures/receipts.js';
import { Ledger } from '../../src/features/ledger/index.js';
import {
  connections,
  erasureReceipts,
  erasures,
  type ErasureKind,
} from '../../src/platform/database/index.js';
import { Leases } from '../../src/platform/lease/index.js';
import { silentLogger } from '../../src/platform/log/index.js';
import { InProcessWorkQueue } from '../../src/platform/queue/index.js';
import type { Warehouse } from '../../src/platform/warehouse/index.js';
import type { DeliveryRig } from './delivery-rig.js';

const never = new AbortController().signal;

/** Erasures beside deliveries on the embedded engines: nothing of both happens but when a spec says so. */
export class ErasureRig {
  readonly records: ErasureRecords;
  private readonly queue = new InProcessWorkQueue(silentLogger());

  constructor(private readonly rig: DeliveryRig) {
    this.records = new ErasureRecords(rig.db, this.queue, rig.clock);
  }

  /** Somebody asks for it. Returns its id. */
  async ask(mpids: readonly number[], kind: ErasureKind = 'erase'): Promise<string> {
    const { db, workspaceId, workspace, engine } = this.rig;
    const given = mpids.length;
    const [row] = await db.insert(erasures).values({ workspaceId, kind, given }).returning();
    if (!row) throw new Error('The erasure was not written.');
    await new ErasurePeople(db, engine).aimAtMpids({ id: row.id, workspace }, mpids.map(String));
    return row.id;
  }

  /** As a worker does that took its hint, up to where it waits, ends or fails. */
  async run(id: string, engine: Warehouse = this.rig.engine): Promise<void> {
    const { db, clock, hub } = this.rig;
    const leases = new Leases(db, 60_000);
    const people = new ErasurePeople(db, engine);
    const base = { db, warehouse: engine, ledger: new Ledger(engine), leases, clock };
    const runner = new ErasureRunner({
      ...base,
      queue: this.queue,
      people,
      log: silentLogger(),
      planner: hub.planner,
      audiences: new LeaveAudiences(base),
      receipts: new Receipts(db, engine, clock),
      forgetting: new ForgetPeople({ db, warehouse: engine, leases, people }),
    });
    await runner.run(id, never);
  }

  async row(id: string) {
    const [row] = await this.rig.db.select().from(erasures).where(eq(erasures.id, id));
    if (!row) throw new Error('The erasure is not there.');
    return row;
  }

  /** What a connection did about it. */
  async receipt(id: string, connectionId: string) {
    const rows = await this.rig.db.select().from(erasureReceipts).where(eq(erasureReceipts.erasureId, id));
    const found = rows.find((row) => row.connectionId === connectionId);
    if (!found) throw new Error('The connection has no receipt.');
    const { state, reason, sent, accepted, rejected, notSent } = found;
    return { state, code: reason?.code ?? null, sent, accepted, rejected, notSent };
  }

  /** How many profiles the warehouse knows something of. */
  async known(mpids: readonly number[]): Promise<number> {
    const where = `workspace = ${this.rig.workspace} AND mpid IN (${mpids.join(', ')})`;
    const [row] = await this.rig.engine.query<{ n: string }>(
      `SELECT uniqExact(mpid) AS n FROM profiles WHERE ${where}`,
    );
    return Number(row?.n ?? 0);
  }

  async setStatus(connectionId: string, status: 'active' | 'inactive'): Promise<void> {
    await this.rig.db.update(connections).set({ status }).where(eq(connections.id, connectionId));
    await this.rig.hub.planner.wakeConnection(connectionId);
    await this.rig.work();
  }
}
