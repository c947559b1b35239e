import { Injectable } from '@nestjs/common';
import type { ConnectorError } from '../../../kit/index.js';
import { recordAudit } from '../../../platform/audit/index.js';
import { deliveries, type Database } from '../../../platform/database/index.js';
import { Metrics } from '../../../platform/metrics/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';
import { lockConnection } from '../../deliveries/index.js';
import { FaultLog } from '../../faults/index.js';
import type { UpkeepSubject } from '../upkeep-subject.js';

/** Faults of lists that were deleted at the partner while there was nothing to send. */
@Injectable()
export class GoneLists {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly faults: FaultLog,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Stops the connection as a delivery would that had found it: by a delivery of nothing that is faulted, in whose place
   * Resume puts one of everybody. Where a delivery is open already, that one finds it by itself.
   */
  async stop({ connection, output, audience }: UpkeepSubject, gone: ConnectorError): Promise<void> {
    const { id: connectionId, workspaceId, externalId, deliveredIdentities: identities } = connection;
    const raised = await this.db.transaction(async (tx) => {
      const now = await lockConnection(tx, connectionId);
      // It was made anew, or the connection is going, since the partner was asked.
      if (!now || now.externalId !== externalId || now.deliveredVersion === 0) return false;
      if (now.status === 'removing' || now.status === 'removed') return false;
      const { kind, code, message } = gone;
      const [made] = await tx
        .insert(deliveries)
        .values({
          workspaceId,
          connectionId,
          fromVersion: now.deliveredVersion,
          toVersion: Math.max(now.deliveredVersion, audience.version),
          fromIdentities: identities,
          toIdentities: identities,
          state: 'faulted',
          error: { kind, code, message },
        })
        .onConflictDoNothing()
        .returning({ id: deliveries.id });
      if (!made) return false;
      const subject = { workspaceId, connectionId, deliveryId: made.id };
      await this.faults.stop(tx, subject, gone, { foundBy: 'reconciliation' }, undefined);
      await recordAudit(tx, {
        action: 'delivery.faulted',
        object: { type: 'delivery', id: made.id },
        workspaceId,
        outcome: 'failed',
        code,
        changes: { connectionId: { to: connectionId } },
      });
      return true;
    });
    if (!raised) return;
    this.metrics.faultsRaised.inc({ kind: gone.kind, plugin: output.plugin });
    await this.faults.sendMail();
  }
}
