import { z } from 'zod';
import { defineOutput, fault, type Batch, type BatchResult } from '../../src/kit/index.js';

/** One list at a partner, in memory. After `budget` batches its credentials are refused. */
export class MemoryPartner {
  readonly members = new Set<number>();
  budget = Number.POSITIVE_INFINITY;
  /** Done within a call, before the batch is taken. */
  meanwhile: ((operation: 'add' | 'remove') => Promise<void>) | undefined;

  reset(): void {
    this.members.clear();
    this.budget = Number.POSITIVE_INFINITY;
    this.meanwhile = undefined;
  }

  async take(operation: 'add' | 'remove', { members }: Batch): Promise<BatchResult> {
    if (this.budget <= 0) throw fault.auth('TOKEN_REVOKED', 'The token was revoked.');
    this.budget -= 1;
    await this.meanwhile?.(operation);
    for (const { mpid } of members) {
      if (operation === 'add') this.members.add(Number(mpid));
      else this.members.delete(Number(mpid));
    }
    return { status: 'done', rejected: [] };
  }
}

/** What connectors of the partner have in common. */
export const MEMORY_BASE = {
  name: 'Memory',
  description: 'For specs: keeps one list in memory.',
  version: '1.0.0',
  settings: z.object({ list: z.string() }),
  credentials: z.object({}),
  connectionSettings: z.object({}),
  identities: [{ type: 'email', encoding: 'raw' }],
  limits: { batchSize: 3 },
  check: () => Promise.resolve(),
} as const;

/** The connector `one-list`: all connections of an output have the list that its settings name. */
export function oneListOf(partner: MemoryPartner) {
  return defineOutput({
    ...MEMORY_BASE,
    id: 'one-list',
    audience: {
      create: (ctx) => Promise.resolve({ externalId: ctx.settings.list }),
      add: (_, __, batch) => partner.take('add', batch),
      remove: (_, __, batch) => partner.take('remove', batch),
      deleteTakesMembers: () => true,
      delete: () => Promise.resolve(partner.members.clear()),
    },
  });
}
