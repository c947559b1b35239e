import { Injectable } from '@nestjs/common';
import { HubError } from '../../../domain/errors/index.js';
import type { Logger } from '../../../platform/log/index.js';
import { InjectLogger } from '../../../platform/nest/index.js';
import type { Principal } from '../../tenancy/index.js';
import { AudienceDeletion } from './audience-deletion.js';
import type { BulkDelete, BulkDeleted } from './bulk-deletion.dto.js';

/** Deletes several audiences, each by itself: one that cannot be deleted keeps no other. */
@Injectable()
export class BulkDeletion {
  private readonly log: Logger;

  constructor(
    private readonly deletion: AudienceDeletion,
    @InjectLogger() log: Logger,
  ) {
    this.log = log.child({ context: 'audiences' });
  }

  /** One after the other: each is a transaction of its own, and a call may be repeated after it broke off. */
  async delete(principal: Principal, { ids, confirm = false }: BulkDelete): Promise<BulkDeleted> {
    const result: BulkDeleted = { deleted: [], connections: [], failed: [] };
    for (const id of ids) {
      try {
        const { connections } = await this.deletion.delete(principal, id, confirm);
        result.connections.push(...connections);
        result.deleted.push(id);
      } catch (error) {
        result.failed.push({ id, ...this.reasonOf(error, id) });
      }
    }
    return result;
  }

  private reasonOf(error: unknown, id: number): Pick<HubError, 'code' | 'message'> {
    if (error instanceof HubError) return { code: error.code, message: error.message };
    this.log.error({ err: error, audienceId: id }, 'an audience of several could not be deleted');
    return {
      code: 'INTERNAL',
      message: 'The hub failed; its log of this moment says more. Delete it again.',
    };
  }
}
