import { expect } from '@jest/globals';
import type { TestHub } from './hub.js';

/** An import that is at its end. */
interface Ended {
  id: string;
  state: string;
  error: { code: string } | null;
  rows: object | null;
}

/**
 * Expects that the import took `accepted` rows, and tells those that it rejected by reason and as a CSV without
 * personal data. Returns how many it rejected.
 */
export async function expectAccounted(
  hub: TestHub,
  done: Ended,
  reasons: Readonly<Record<string, number>>,
  accepted: number,
): Promise<number> {
  const rejected = Object.values(reasons).reduce((sum, n) => sum + n, 0);
  if (done.state === 'held') expect(done.error?.code).toBe('MOSTLY_REJECTED');
  else expect(done.state).toBe('published');
  expect(done.rows).toMatchObject({
    read: accepted + rejected,
    accepted,
    rejected,
    rejectedByReason: reasons,
  });
  const csv = await hub.api<string>('GET', `/imports/${done.id}/errors?format=csv`);
  expect(csv.body.trim().split('\n')).toHaveLength(rejected + 1);
  expect(csv.body).not.toMatch(/bob@|eve@/);
  return rejected;
}
