import { Injectable } from '@nestjs/common';
import { desc, eq } from 'drizzle-orm';
import {
  connections,
  deliveries,
  hubFacts,
  imports,
  inputs,
  organizations,
  outputs,
  workspaces,
  type Database,
  type Transaction,
} from '../../platform/database/index.js';
import { InjectDatabase } from '../../platform/nest/index.js';
import { DEMO_SEAT } from './example-audience.js';

/** Ids of what the demo made. */
export interface Demo {
  workspaceId: string;
  inputId: string;
  outputId: string;
}

/** Folders of the demo, absolute. */
export interface DemoFolders {
  drop: string;
  out: string;
}

/** Says whether the demo was begun (ids as JSON) or is done. */
const FACT = 'demo';
const DONE = 'done';

/** What the database knows of the demo. */
@Injectable()
export class DemoRecords {
  constructor(@InjectDatabase() private readonly db: Database) {}

  /**
   * The demo that is to be shown: a new one where the hub is empty, or one that was begun and not finished.
   * Made by one transaction, and by one process.
   */
  async begin(folders: DemoFolders): Promise<Demo | undefined> {
    return this.db.transaction(async (tx) => {
      const [fact] = await tx.select().from(hubFacts).where(eq(hubFacts.name, FACT));
      if (fact) return fact.value === DONE ? undefined : (JSON.parse(fact.value) as Demo);
      if ((await tx.$count(organizations)) > 0) return undefined;
      const demo = await insert(tx, folders);
      const noted = await tx
        .insert(hubFacts)
        .values({ name: FACT, value: JSON.stringify(demo) })
        .onConflictDoNothing()
        .returning();
      if (noted.length === 0) tx.rollback();
      return demo;
    });
  }

  /** It was shown, and is never begun again. */
  async finish(): Promise<void> {
    await this.db.update(hubFacts).set({ value: DONE }).where(eq(hubFacts.name, FACT));
  }

  /** The newest import of the demo's input. */
  async lastImport({ inputId }: Demo): Promise<typeof imports.$inferSelect | undefined> {
    const [row] = await this.db
      .select()
      .from(imports)
      .where(eq(imports.inputId, inputId))
      .orderBy(desc(imports.sequence))
      .limit(1);
    return row;
  }

  async isConnected({ outputId }: Demo): Promise<boolean> {
    return (await this.db.$count(connections, eq(connections.outputId, outputId))) > 0;
  }

  /** The newest delivery to the demo's output. */
  async lastDelivery({ outputId }: Demo): Promise<typeof deliveries.$inferSelect | undefined> {
    const [row] = await this.db
      .select({ delivery: deliveries })
      .from(deliveries)
      .innerJoin(connections, eq(connections.id, deliveries.connectionId))
      .where(eq(connections.outputId, outputId))
      .orderBy(desc(deliveries.createdAt))
      .limit(1);
    return row?.delivery;
  }
}

async function insert(tx: Transaction, folders: DemoFolders): Promise<Demo> {
  const organizationId = idOf(
    await tx.insert(organizations).values({ name: 'Demo' }).returning({ id: organizations.id }),
  );
  const workspaceId = idOf(
    await tx
      .insert(workspaces)
      .values({ organizationId, name: 'Demo', seatId: DEMO_SEAT, settings: { defaultPhoneRegion: 'US' } })
      .returning({ id: workspaces.id }),
  );
  const inputId = idOf(
    await tx
      .insert(inputs)
      .values({
        workspaceId,
        plugin: 'folder-drop',
        name: 'Demo drop folder',
        settings: { path: folders.drop, layout: 'iqm' },
        routing: 'workspace',
      })
      .returning({ id: inputs.id }),
  );
  const outputId = idOf(
    await tx
      .insert(outputs)
      .values({
        workspaceId,
        plugin: 'file',
        name: 'Demo file output',
        settings: { destination: folders.out, format: 'csv', content: 'members' },
      })
      .returning({ id: outputs.id }),
  );
  return { workspaceId, inputId, outputId };
}

function idOf(rows: { id: string }[]): string {
  const [row] = rows;
  if (!row) throw new Error('The database took a row of the demo and returned none.');
  return row.id;
}
