import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isNull } from 'drizzle-orm';
import { hashApiKey } from '../../../platform/crypto/index.js';
import {
  apiKeys,
  hubFacts,
  migrate,
  openPglite,
  type OpenDatabase,
} from '../../../platform/database/index.js';
import { ensureAdminKey } from './admin-key.js';

const FIRST = 'first-configured-key-0123456789';
const SECOND = 'second-configured-key-0123456789';

let folder: string;
let database: OpenDatabase;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hub-admin-key-'));
  database = await openPglite(join(folder, 'postgres'));
  await migrate(database.db);
}, 120_000);

afterAll(async () => {
  await database?.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  await database.db.delete(apiKeys);
  await database.db.delete(hubFacts);
});

async function openHashes(): Promise<string[]> {
  const rows = await database.db.select().from(apiKeys).where(isNull(apiKeys.revokedAt));
  return rows.map(({ hash }) => hash);
}

describe('ensureAdminKey', () => {
  it('makes a key at the first start and tells it once', async () => {
    const key = await ensureAdminKey(database.db, undefined);
    expect(key).toMatch(/^hub_/);
    expect(await ensureAdminKey(database.db, undefined)).toBeUndefined();
    expect(await openHashes()).toEqual([hashApiKey(key ?? '')]);
  });

  it('makes one key where several processes start at once', async () => {
    const keys = await Promise.all([1, 2, 3].map(() => ensureAdminKey(database.db, undefined)));
    expect(keys.filter((key) => key !== undefined)).toHaveLength(1);
  });

  it('makes a new one where nobody is left who could', async () => {
    await ensureAdminKey(database.db, undefined);
    await database.db.update(apiKeys).set({ revokedAt: new Date() });
    expect(await ensureAdminKey(database.db, undefined)).toMatch(/^hub_/);
  });

  it('takes the configured key, at every start the same row', async () => {
    expect(await ensureAdminKey(database.db, FIRST)).toBeUndefined();
    await ensureAdminKey(database.db, FIRST);
    const rows = await database.db.select().from(apiKeys);
    expect(rows).toMatchObject([
      { hash: hashApiKey(FIRST), role: 'admin', organizationId: null, workspaceId: null, revokedAt: null },
    ]);
  });

  it('lets the formerly configured key go, and no other', async () => {
    const generated = await ensureAdminKey(database.db, undefined);
    await ensureAdminKey(database.db, FIRST);
    await ensureAdminKey(database.db, SECOND);
    const open = await openHashes();
    expect(open).toHaveLength(2);
    expect(open).toEqual(expect.arrayContaining([hashApiKey(generated ?? ''), hashApiKey(SECOND)]));
  });

  it('opens a configured key again that was revoked', async () => {
    await ensureAdminKey(database.db, FIRST);
    await database.db.update(apiKeys).set({ revokedAt: new Date() });
    await ensureAdminKey(database.db, FIRST);
    expect(await openHashes()).toEqual([hashApiKey(FIRST)]);
  });
});
