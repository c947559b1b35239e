import { and, eq, gte, inArray, lte } from 'drizzle-orm';
import {
  inputs,
  leases,
  organizations,
  outputs,
  sources,
  workspaces,
  connections,
  deliveryBatches,
  type Database,
} from '../../src/platform/database/index.js';
import { TestClock } from '../../src/platform/clock/testing/test-clock.js';
import { Hub } from './hub.js';
import type { Leaver } from './leaving.js';
import { SIM_PLUGINS, type SimPlugin } from './partner-kinds.js';
import { SimPartner } from './partner.js';
import type { Row } from './people.js';
import { AUDIENCES } from './steps.js';
import type { Storage } from './storage.js';

/** Time of the database is the machine's, so the clock of the simulation is well before it. */
const START = '2020-01-01T00:00:00Z';

/**
 * How often steps of a delivery are written down: mostly at its end, or each by itself, from world to world. By the time
 * of the machine, as a hub does it, the same seed would end differently when it is busy.
 */
const SAVE_EVERY_MS = [3_600_000, 0] as const;

/** Which life: a workspace, and the chance within it that no step draws. */
export interface Fate {
  seed: number;
  world: number;
}

/** A file that was given to the hub. */
export interface GivenFile {
  audience: number;
  rows: Row[];
}

/** One workspace with its audiences and its partner, and the processes that work on it. */
export class World {
  readonly clock = new TestClock(START);
  readonly partner: SimPartner;
  /** By key in the file store, in the order in which they were given. */
  readonly files = new Map<string, GivenFile>();
  /** Who asked to be suppressed or erased. */
  readonly leavers: Leaver[] = [];
  readonly plans: { connectionId: string; planId: string }[] = [];
  readonly outputs = new Map<SimPlugin, string>();
  /** Deliveries that were looked at after they were delivered. */
  readonly audited = new Set<string>();
  /** Exports whose archives were looked at, and whether more were asked for. */
  readonly lookedAt = new Set<string>();
  exportsAsked = 0;
  /** What is wrong with them. */
  readonly exportProblems: string[] = [];
  /** Processes that wait for the partner's answer, while others work. */
  readonly stalled: Hub[] = [];
  /** Time that passed amidst accidents. */
  eventfulMs = 0;
  lastEventMs = Number.NEGATIVE_INFINITY;
  /** How the next process is started after this one was killed. */
  restarts = { alone: true, keepsHints: false };
  hub!: Hub;
  workspaceId = '';
  inputId = '';

  private constructor(
    readonly storage: Storage,
    /** Also the workspace's number in the warehouse. */
    readonly number: number,
    readonly saveEveryMs: number,
  ) {
    this.partner = new SimPartner(
      {
        isWrittenDown: (deliveryId, mpid) => isWrittenDown(storage.db, deliveryId, mpid),
        isLeaving: (connectionId) => isLeaving(storage.db, connectionId),
      },
      () => ({
        nowMs: this.clock.now().getTime(),
        eventfulMs: this.eventfulMs,
        lastEventMs: this.lastEventMs,
      }),
    );
  }

  /** A world with nothing in it. What another one of the same number left is gone. */
  static async begin(storage: Storage, { seed, world: number }: Fate): Promise<World> {
    const world = new World(storage, number, SAVE_EVERY_MS[(seed + number) % 2] ?? 0);
    await world.clear();
    await storage.numberTests(number * 1000);
    await world.make();
    world.hub = await Hub.start(world, true);
    return world;
  }

  get db(): Database {
    return this.storage.db;
  }

  /** Puts another process in place of the one that works. Of a dead one everything in memory is lost. */
  async restart(alone: boolean, keepsHints: boolean): Promise<void> {
    const before = this.hub;
    if (before.life.isOver) {
      await before.end();
      // Others would wait until they run out, and nobody has so much time here. Leases of rows stay.
      await this.db.delete(leases);
    }
    const hints = keepsHints ? before.queue.hints : [];
    this.hub = await Hub.start(this, alone && this.stalled.length === 0, hints);
  }

  /** A process that nothing will kill, in place of one that is about to die or to stall. */
  async renew(): Promise<void> {
    const { hints } = this.hub.queue;
    await this.hub.end();
    this.hub = await Hub.start(this, true, hints);
  }

  /** Rows of the last file of an audience that was given. */
  newestRows(audience: number): readonly Row[] {
    return [...this.files.values()].findLast((file) => file.audience === audience)?.rows ?? [];
  }

  /** Time passes amidst accidents. */
  wait(ms: number): void {
    this.clock.advance(ms);
    this.eventfulMs += ms;
    this.lastEventMs = this.clock.now().getTime();
  }

  /** The audience's id, once a file has made it. */
  async audienceId(audience: number): Promise<number | undefined> {
    const [source] = await this.db
      .select({ id: sources.audienceId })
      .from(sources)
      .where(and(eq(sources.inputId, this.inputId), eq(sources.key, keyOf(audience))));
    return source?.id ?? undefined;
  }

  async end(): Promise<void> {
    for (const hub of [...this.stalled, this.hub]) await hub.end();
    await this.clear();
  }

  private async make(): Promise<void> {
    const { db } = this;
    const name = `World ${this.number}`;
    const [organization] = await db.insert(organizations).values({ name }).returning();
    const seat = {
      organizationId: organization?.id ?? '',
      name,
      seatId: String(this.number),
      settings: { maxShrinkShare: 1 },
    };
    const [workspace] = await db
      .insert(workspaces)
      .overridingSystemValue()
      .values({ ...seat, number: this.number })
      .returning();
    this.workspaceId = workspace?.id ?? '';
    const { workspaceId } = this;
    const [input] = await db
      .insert(inputs)
      .values({ workspaceId, plugin: 'api-upload', name: 'Uploads', settings: {}, routing: 'workspace' })
      .returning();
    this.inputId = input?.id ?? '';
    for (const plugin of SIM_PLUGINS) {
      const [output] = await db
        .insert(outputs)
        .values({ workspaceId, plugin, name: plugin, settings: {} })
        .returning();
      this.outputs.set(plugin, output?.id ?? '');
    }
  }

  private async clear(): Promise<void> {
    // Whoever held them is gone, and nobody has time to wait until they run out.
    await this.db.delete(leases);
    await this.db.delete(workspaces).where(eq(workspaces.number, this.number));
    for (const table of ['profiles', 'identities', 'identity_changes', 'attributes', 'suppressions']) {
      await this.storage.warehouse.command(`DELETE FROM ${table} WHERE workspace = ${this.number}`);
    }
  }
}

export const keyOf = (audience: number): string => `simulation/${audience % AUDIENCES}`;

async function isWrittenDown(db: Database, deliveryId: string, mpid: string): Promise<boolean> {
  const [row] = await db
    .select({ position: deliveryBatches.position })
    .from(deliveryBatches)
    .where(
      and(
        eq(deliveryBatches.deliveryId, deliveryId),
        inArray(deliveryBatches.operation, ['add', 'add_identities', 'add_again']),
        lte(deliveryBatches.firstMpid, BigInt(mpid)),
        gte(deliveryBatches.lastMpid, BigInt(mpid)),
      ),
    )
    .limit(1);
  return row !== undefined;
}

/** What its delivery under way still brings, its removal takes out again. */
async function isLeaving(db: Database, connectionId: string): Promise<boolean> {
  const [row] = await db
    .select({ status: connections.status })
    .from(connections)
    .where(eq(connections.id, connectionId));
  return row?.status === 'removing';
}
