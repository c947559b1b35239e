import { codeOf } from '../../../domain/identities/index.js';
import type { IdentityType } from '../../../kit/index.js';
import type { Warehouse } from '../../../platform/warehouse/index.js';
import { MERGED } from '../../ledger/index.js';
import { countDifferent } from './count-different.js';
import { blocksOfRows } from './blocks.js';
import { derivedMpidSql, mpidSql, withoutCollisions, type MpidRule } from './mpid.js';
import type { OnCounted, Resolved, ResolveRequest } from './resolve.js';
import { MERGING, recreate } from './tables.js';

/** Identities that nobody has: `SELECT hash, value, type`, what is known of them, and what their rows order. */
interface Unknown {
  select: string;
  rows: number;
  /** Different ones. */
  profiles: number;
  /** Two different ones would get the same mpid. */
  collide: boolean;
}

/**
 * Resolves a file of one identity a row: stage and `identities` are both in hash order, so one merge finds
 * what is known, and memory stays flat. What it finds is put down once, in the order of the ledger (table
 * `members`), and read by all that follows. Where nobody in the workspace has an identity of the type, there is
 * nothing to find: the stage itself is what is new.
 */
export async function resolveSingle(
  warehouse: Warehouse,
  request: ResolveRequest,
  type: IdentityType,
  onCounted: OnCounted,
): Promise<Resolved> {
  const { anybody, anyProfile } = await whoIsThere(warehouse, request, type);
  if (request.create && !anybody) return registerAll(warehouse, request, type, anyProfile, onCounted);

  await findMembers(warehouse, request, type);
  const { accepted, found } = await countFound(warehouse, request);
  if (!request.create) {
    const matched = found;
    const counts = { matched, created: 0, unknown: accepted - matched, createdProfiles: 0 };
    await onCounted(counts);
    return { counts, members: { from: 'table' } };
  }
  const unknown = await unknownMembers(warehouse, request, type);
  const { rows, profiles } = unknown;
  const counts = { matched: accepted - rows, created: rows, unknown: 0, createdProfiles: profiles };
  await onCounted(counts);
  if (rows > 0) {
    const rule = await register(warehouse, request, unknown, true);
    // They were put down with mpids that belong to others; now that all is known, it can be looked up.
    if (rule.exceptions.size > 0) await findMembers(warehouse, request, type);
  }
  return { counts, members: { from: 'table' } };
}

/** Everybody in the stage is new. */
async function registerAll(
  warehouse: Warehouse,
  request: ResolveRequest,
  type: IdentityType,
  anyProfile: boolean,
  onCounted: OnCounted,
): Promise<Resolved> {
  const select = `SELECT hash, value, ${codeOf(type)} AS type FROM ${request.tables.stage} WHERE bad = 0`;
  const unknown = await lookAt(warehouse, select, 'hash', request.mpidBits);
  const { rows, profiles } = unknown;
  const counts = { matched: 0, created: rows, unknown: 0, createdProfiles: profiles };
  await onCounted(counts);
  if (rows > 0) {
    const rule = await register(warehouse, request, unknown, anyProfile);
    if (rule.exceptions.size > 0) {
      await findMembers(warehouse, request, type);
      return { counts, members: { from: 'table' } };
    }
  }
  return { counts, members: { from: 'stage', repeats: profiles < rows } };
}

/** Whether somebody in the workspace has an identity of the type, and whether there is anybody at all. */
async function whoIsThere(warehouse: Warehouse, { workspace }: ResolveRequest, type: IdentityType) {
  const any = (from: string) => `(SELECT count() FROM (SELECT 1 FROM ${from} LIMIT 1))`;
  const [row] = await warehouse.query<{ identities: string; profiles: string }>(
    `SELECT ${any(`identities WHERE workspace = ${workspace} AND type = ${codeOf(type)}`)} AS identities,
       ${any(`profiles WHERE workspace = ${workspace}`)} AS profiles`,
  );
  return { anybody: Number(row?.identities ?? 0) > 0, anyProfile: Number(row?.profiles ?? 0) > 0 };
}

/**
 * Table `members`: the profile of each row, known or, where profiles are made, about to be: with the mpid that
 * its identity stands for, and with that identity.
 */
async function findMembers(
  warehouse: Warehouse,
  { workspace, tables, create, mpidBits = 64 }: ResolveRequest,
  type: IdentityType,
): Promise<void> {
  await recreate(
    warehouse,
    tables.members,
    '(mpid Int64 CODEC(NONE), known UInt8, hash UInt128, value String) ENGINE = MergeTree ORDER BY mpid',
  );
  const isKnown = 'i.known = 1';
  await warehouse.command(
    `INSERT INTO ${tables.members}
     SELECT if(${isKnown}, i.mpid, ${derivedMpidSql('s.hash', mpidBits)}), i.known,
       if(${isKnown}, toUInt128(0), s.hash), if(${isKnown}, '', s.value)
     FROM (SELECT hash, value FROM ${tables.stage} WHERE bad = 0) AS s
     ANY LEFT JOIN (${knownSql(workspace, type)}) AS i ON s.hash = i.hash
     WHERE ${create ? '1' : isKnown}`,
    MERGING,
  );
}

async function countFound(warehouse: Warehouse, { tables }: ResolveRequest) {
  const [row] = await warehouse.query<{ accepted: string; found: string }>(
    `SELECT (SELECT count() FROM ${tables.stage} WHERE bad = 0) AS accepted,
       (SELECT count() FROM ${tables.members}) AS found`,
    { lane: 'bulk' },
  );
  return { accepted: Number(row?.accepted ?? 0), found: Number(row?.found ?? 0) };
}

/** Those in `members` that nobody has. */
async function unknownMembers(
  warehouse: Warehouse,
  { tables, mpidBits }: ResolveRequest,
  type: IdentityType,
): Promise<Unknown> {
  const select = `SELECT mpid, hash, value, ${codeOf(type)} AS type FROM ${tables.members} WHERE known = 0`;
  const unknown = await lookAt(warehouse, select, 'mpid', mpidBits);
  if (!unknown.collide) return unknown;
  // Of those that share an mpid, equal ones need not stand side by side.
  return { ...unknown, profiles: await countDifferent(warehouse, select) };
}

/**
 * Counts unknown identities in one pass. mpids are the upper bits of the hashes, so in the order of either, in
 * which they are stored, only neighbours can be equal or share one; grouping 16 M of them would be the peak of
 * an import's memory.
 */
async function lookAt(
  warehouse: Warehouse,
  select: string,
  order: 'hash' | 'mpid',
  bits = 64,
): Promise<Unknown> {
  const differ = 'hash != before';
  const [row] = await warehouse.query<{ n: string; profiles: string; shared: string }>(
    `SELECT count() AS n, countIf(${differ}) AS profiles,
       countIf(${differ} AND ${derivedMpidSql('hash', bits)} = ${derivedMpidSql('before', bits)}) AS shared
     FROM (
       SELECT hash, lagInFrame(hash, 1, bitNot(hash))
         OVER (ORDER BY ${order} ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
       FROM (${select})
     )`,
    MERGING,
  );
  const [rows, profiles] = [Number(row?.n ?? 0), Number(row?.profiles ?? 0)];
  return { select, rows, profiles, collide: Number(row?.shared ?? 0) > 0 };
}

/** Gives each an mpid of its own, and writes them. */
async function register(
  warehouse: Warehouse,
  { workspace, mpidBits }: ResolveRequest,
  { select, rows, profiles, collide }: Unknown,
  anyProfile: boolean,
): Promise<MpidRule> {
  const rule = await withoutCollisions(
    warehouse,
    workspace,
    { select, settings: MERGED, apart: !collide, alone: !anyProfile },
    mpidBits,
  );
  const settings = { optimize_on_insert: profiles < rows ? 1 : 0, ...blocksOfRows(rows) };
  const options = { lane: 'bulk', settings } as const;
  // `profiles` first: cut off in between, the identity is still unknown and the next run writes both again.
  await warehouse.command(
    `INSERT INTO profiles SELECT ${workspace}, ${mpidSql('hash', rule)}, type, value FROM (${select})`,
    options,
  );
  await warehouse.command(
    `INSERT INTO identities SELECT ${workspace}, type, hash, value, ${mpidSql('hash', rule)} FROM (${select})`,
    options,
  );
  return rule;
}

/** `SELECT hash` of the identities in the stage that nobody has, with repetitions. Before they are registered. */
export function singleNewcomersSql(
  { workspace, tables }: Pick<ResolveRequest, 'workspace' | 'tables'>,
  type: IdentityType,
): string {
  return `SELECT s.hash AS hash FROM (SELECT hash FROM ${tables.stage} WHERE bad = 0) AS s
    ANY LEFT JOIN (${knownSql(workspace, type)}) AS i ON s.hash = i.hash
    WHERE i.known = 0`;
}

const knownSql = (workspace: number, type: IdentityType): string =>
  `SELECT hash, mpid, toUInt8(1) AS known FROM identities
   WHERE workspace = ${workspace} AND type = ${codeOf(type)}`;
