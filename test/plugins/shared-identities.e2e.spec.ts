import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { ACCOUNT, FakeMeta } from '../../plugins/meta-custom-audiences/fake-meta.js';
import { codeOf } from '../../src/domain/identities/index.js';
import { PartnerServer } from '../../src/kit/testing/index.js';
import { workspaces } from '../../src/platform/database/index.js';
import { WAREHOUSE } from '../../src/platform/nest/index.js';
import type { Warehouse } from '../../src/platform/warehouse/index.js';
import { RemovalScene } from '../support/removal-scene.js';

const meta = new FakeMeta();
let server: PartnerServer;
let scene: RemovalScene;
beforeAll(async () => {
  scene = await RemovalScene.open();
  server = await PartnerServer.start(meta);
}, 120_000);
afterAll(async () => {
  await scene?.close();
  await server?.stop();
});

const hashOf = (person: number) => createHash('sha256').update(`p${person}@example.com`).digest('hex');

/** Members of the first version besides, of whom the hash of the e-mail of somebody else is known, and nothing more. */
async function knownByHash(audienceId: number, people: ReadonlyMap<number, number>): Promise<void> {
  const warehouse = scene.hub.hub.app.get<Warehouse>(WAREHOUSE);
  const own = eq(workspaces.id, scene.tenant.workspaceId);
  const [row] = await scene.db.select({ number: workspaces.number }).from(workspaces).where(own);
  const type = codeOf('email_sha256');
  for (const [mpid, other] of people) {
    await warehouse.command(
      `INSERT INTO profiles VALUES (${row?.number ?? 0}, ${mpid}, ${type}, '${hashOf(other)}')`,
    );
    await warehouse.command(`INSERT INTO ledger VALUES (${audienceId}, ${mpid}, 1, 1, now64(3))`);
  }
}

describe('a custom audience of Meta', () => {
  it('keeps the hash of who leaves where somebody who stays is known by it, as the plan says', async () => {
    const audienceId = await scene.audience('Hashes', 1, 20);
    await knownByHash(audienceId, new Map([1, 2, 3].map((person) => [1000 + person, person])));
    const settings = { adAccountId: ACCOUNT, endpoint: server.url };
    const outputId = await scene.output('meta-custom-audiences', settings, {
      accessToken: 'invented-token',
    });
    const id = await scene.delivered(audienceId, outputId);
    const rows = () => [...meta.audiences.values()].flatMap((audience) => [...audience.rows]);
    expect(rows()).toHaveLength(20);
    await scene.hub.ok('PATCH', `/connections/${id}`, { status: 'inactive' });
    await scene.leave(audienceId, 1, 10);
    const plan = await scene.hub.ok<{ id: string }>('POST', `/connections/${id}/plan`);
    const skipped = [{ code: 'SHARED_IDENTITY', members: 3 }];
    expect(plan).toMatchObject({
      members: 10,
      requests: 1,
      operations: [{ operation: 'add' }, { operation: 'remove', members: 10, skipped }],
    });
    await scene.hub.ok('POST', `/connections/${id}/plan/apply`, { planId: plan.id });
    const { lastDelivery } = await scene.seen(id, ({ deliveredVersion }) => deliveredVersion === 2);
    expect(lastDelivery).toMatchObject({ planned: 10, accepted: 7, rejected: 0, skipped: 3 });
    const left = [1, 2, 3, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20].map(hashOf);
    expect(left.filter((hash) => !rows().some((row) => row.includes(hash)))).toEqual([]);
    expect(rows()).toHaveLength(left.length);
  });
});
