import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { HubError } from '../../domain/errors/index.js';
import { layoutRules, type DropLayout } from '../../kit/index.js';
import { recordAudit } from '../../platform/audit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import { erasures, type Database, type ErasureKind } from '../../platform/database/index.js';
import type { Config } from '../../platform/env/index.js';
import {
  InjectClock,
  InjectConfig,
  InjectDatabase,
  InjectWarehouse,
  InjectWorkQueue,
} from '../../platform/nest/index.js';
import type { WorkQueue } from '../../platform/queue/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import {
  answerOf,
  bodyTooLarge,
  DryRunScratch,
  ImportFailure,
  spool,
  stagePeople,
  type UnusableRows,
} from '../imports/index.js';
import { normalisedIdentity } from '../profiles/index.js';
import { WorkspaceScope, type Principal, type Workspace } from '../tenancy/index.js';
import { ErasurePeople, type ErasureKey } from './erasure-people.js';
import { showErasure, type ErasureView, type GivePeople } from './erasures.dto.js';

/** A file that names people, sent as a body. */
export interface SentFile {
  workspaceId: string;
  layout: DropLayout;
  /** As the sender says; undefined where it does not. */
  sizeBytes: number | undefined;
  body: Readable;
}

/** Takes requests to suppress or erase people. Values are hashed before the answer, and kept nowhere. */
@Injectable()
export class ErasuresService {
  private readonly scratch: DryRunScratch;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWarehouse() readonly warehouse: Warehouse,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectClock() readonly clock: Clock,
    @InjectConfig() config: Config,
    private readonly people: ErasurePeople,
    private readonly scope: WorkspaceScope,
  ) {
    this.scratch = new DryRunScratch(config.dataDir);
  }

  async begin(principal: Principal, kind: ErasureKind, given: GivePeople): Promise<ErasureView> {
    const workspace = await this.scope.requireWorkspace(principal, given.workspaceId);
    const { identities = [], mpids = [] } = given;
    if (identities.length + mpids.length === 0) throw nobody();
    const normalised = identities.map(({ type, value }, index) => ({
      type,
      value: normalisedIdentity(workspace.settings, type, value, `identities.${index}.value`),
    }));
    return this.make(workspace, kind, async (key) => {
      await this.people.aimAt(key, normalised);
      await this.people.aimAtMpids(key, mpids);
      return {};
    });
  }

  /** The same for everybody in a file. Throws VALIDATION_FAILED where it cannot be used, or names nobody. */
  async beginWithFile(
    principal: Principal,
    kind: ErasureKind,
    { workspaceId, layout, sizeBytes, body }: SentFile,
    signal: AbortSignal,
  ): Promise<ErasureView> {
    const workspace = await this.scope.requireWorkspace(principal, workspaceId);
    const { shape } = layoutRules(layout);
    if ((sizeBytes ?? 0) > shape.maxBytes) throw bodyTooLarge(shape.maxBytes);
    return answerOf(signal, this.clock.now(), () =>
      this.scratch.using(async (folder) => {
        const path = join(folder, 'source');
        await spool(body, path, shape.maxBytes, signal).catch((error: unknown) => {
          throw error instanceof ImportFailure ? bodyTooLarge(shape.maxBytes) : error;
        });
        const file = { path, folder, shape, workspace };
        return this.make(workspace, kind, (key) =>
          stagePeople(this, file, signal, (select) => this.people.aimAtAll(key, select)),
        );
      }),
    );
  }

  /** Aims first: a process that dies in between leaves hashes that a sweep deletes, and has promised nobody anything. */
  private async make(
    workspace: Workspace,
    kind: ErasureKind,
    aim: (key: ErasureKey) => Promise<UnusableRows>,
  ): Promise<ErasureView> {
    const key = { id: randomUUID(), workspace: workspace.number };
    const rejectedByReason = await aim(key);
    const given = await this.people.countGiven(key);
    if (given === 0) throw nobody();
    const row = await this.db.transaction(async (tx) => {
      const [made] = await tx
        .insert(erasures)
        .values({ id: key.id, workspaceId: workspace.id, kind, given, rejectedByReason })
        .returning();
      await recordAudit(tx, {
        action: kind === 'erase' ? 'erasure.create' : 'suppression.create',
        object: { type: 'erasure', id: key.id },
        workspaceId: workspace.id,
        changes: { given: { to: given } },
      });
      return made;
    });
    if (row === undefined) throw new Error('The erasure was not written.');
    // At once, whoever does the rest: what is imported from here on does not bring them in.
    await this.people.suppress(key);
    await this.queue.enqueue({ kind: 'erasure', id: row.id });
    return showErasure(row);
  }
}

function nobody(): HubError {
  return new HubError('VALIDATION_FAILED', 'Nobody is named.', [
    { field: 'identities', message: 'must name somebody, or mpids must, or the file' },
  ]);
}
