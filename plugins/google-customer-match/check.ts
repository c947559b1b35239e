import { createHash } from 'node:crypto';
import type { ApiContext } from './api.js';
import { anyContactList, validateList } from './lists.js';
import { validateUpload } from './members.js';

/**
 * Has Google validate what a connection will do, and nothing executed: making a list and, where the account has one
 * that takes contact data, an upload of somebody who does not exist.
 */
export async function checkAccount(ctx: ApiContext): Promise<void> {
  await validateList(ctx, `Hub check ${ctx.now().toISOString()}`);
  const listId = await anyContactList(ctx);
  if (listId === undefined) return;
  await validateUpload(ctx, listId, createHash('sha256').update('nobody@example.com').digest('hex'));
}
