import { IDENTITY_CODES } from '../../domain/identities/identity-codes.js';
import { PARTNERED_TYPES } from '../../domain/identities/data-partners.js';
import type { Warehouse } from '../../platform/warehouse/index.js';

const PARTNERED = PARTNERED_TYPES.map((type) => IDENTITY_CODES[type]);

/**
 * Codes of the types with data partners that nobody in the workspace has: a look at the beginning of each in the index.
 * Their ids are written bare, which costs as much as reading everybody's identities, also where there are none. Who learns
 * the first one meanwhile is in the log of learned identities, and sent by the delivery after this one.
 */
export async function absentTypes(
  warehouse: Warehouse,
  workspace: number,
  codes: readonly number[],
): Promise<ReadonlySet<number>> {
  const asked = PARTNERED.filter((code) => codes.includes(code));
  if (asked.length === 0) return new Set();
  const looks = asked.map(
    (code) =>
      `SELECT type FROM (SELECT type FROM identities WHERE workspace = ${workspace} AND type = ${code} LIMIT 1)`,
  );
  const rows = await warehouse.query<{ type: number }>(looks.join(' UNION ALL '));
  return new Set(asked.filter((code) => !rows.some(({ type }) => type === code)));
}
