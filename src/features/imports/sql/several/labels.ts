import type { Warehouse } from '../../../../platform/warehouse/index.js';
import type { ResolveRequest } from '../resolve.js';
import { drop, MERGING, recreate } from '../tables.js';
import { LABEL, labelHash, labelMpid, labelPriority, labelRank } from './packed.js';
import { replaceRows } from './rows.js';

/** Rows hand their label on through shared identities; each round reaches one strength further. */
const MAX_ROUNDS = 16;

/** Scratch tables of {@link settleLabels}. */
interface Scratch {
  /** The unknown identities that several rows have, once for each of those, in the order of the rows. */
  shared: string;
  /** Those rows with their labels, in the order of the identities that they go by; and the same a round later. */
  linked: string;
  next: string;
  /** Their labels in the order of the rows. */
  labels: string;
  /** Labels that are offered to the rows that go by an identity. */
  offers: string;
}

const [KEY, LABELLED] = ['row UInt128 CODEC(NONE)', 'label UInt256 CODEC(NONE)'];
const OWN = 'own_type UInt8, own_hash UInt128 CODEC(NONE)';
const LINKED = `(${KEY}, ${LABELLED}, ${OWN}) ENGINE = MergeTree ORDER BY (own_type, own_hash)`;
const COLUMNS: Readonly<Record<keyof Scratch, string>> = {
  shared: `(${KEY}, type UInt8, hash UInt128 CODEC(NONE)) ENGINE = MergeTree ORDER BY row`,
  linked: LINKED,
  next: LINKED,
  labels: `(${KEY}, ${LABELLED}) ENGINE = MergeTree ORDER BY row`,
  offers: `(${OWN}, ${LABELLED}) ENGINE = MergeTree ORDER BY (own_type, own_hash)`,
};

/**
 * Hands labels on until nothing changes: a row takes the best label of all rows with its strongest identity. Only rows that
 * share an identity which nobody is known by have anything to hand on, and mostly they are few; so they are put aside, and
 * back when they are done.
 */
export async function settleLabels(warehouse: Warehouse, request: ResolveRequest): Promise<void> {
  const { tables } = request;
  const named = (name: keyof Scratch) => `${tables.scratch}${name}`;
  const scratch: Scratch = {
    shared: named('shared'),
    linked: named('linked'),
    next: named('next'),
    labels: named('labels'),
    offers: named('offers'),
  };
  if (await findShared(warehouse, request, scratch)) {
    await recreate(warehouse, scratch.linked, COLUMNS.linked);
    await warehouse.command(
      `INSERT INTO ${scratch.linked} SELECT r.row, r.label, r.own_type, r.own_hash
       FROM (SELECT row, ${LABEL} AS label, own_type, own_hash FROM ${tables.rows}) AS r
       ANY LEFT JOIN (SELECT row, toUInt8(1) AS shares FROM ${scratch.shared} GROUP BY row) AS s ON r.row = s.row
       WHERE s.shares = 1`,
      MERGING,
    );
    if (await handOn(warehouse, scratch)) await putBack(warehouse, request, scratch);
  }
  for (const table of Object.values(scratch)) await drop(warehouse, table);
}

/** Fills table `shared`. False where there are none. */
async function findShared(
  warehouse: Warehouse,
  { workspace, tables }: ResolveRequest,
  { shared }: Scratch,
): Promise<boolean> {
  await recreate(warehouse, shared, COLUMNS.shared);
  const several = `SELECT type, hash FROM ${tables.stage} WHERE type != 0 GROUP BY type, hash HAVING min(row) != max(row)`;
  await warehouse.command(
    `INSERT INTO ${shared} SELECT s.row, s.type, s.hash
     FROM (SELECT row, type, hash FROM ${tables.stage} WHERE type != 0) AS s
     ANY LEFT JOIN (
       SELECT k.type AS type, k.hash AS hash, toUInt8(1) AS counts FROM (${several}) AS k
       ANY LEFT JOIN (SELECT type, hash, toUInt8(1) AS known FROM identities WHERE workspace = ${workspace}) AS i
       ON k.type = i.type AND k.hash = i.hash WHERE i.known = 0
     ) AS k ON s.type = k.type AND s.hash = k.hash
     WHERE k.counts = 1`,
    MERGING,
  );
  const [row] = await warehouse.query<{ n: string }>(`SELECT count() AS n FROM ${shared}`);
  return Number(row?.n ?? 0) > 0;
}

/** Rounds over the rows in table `linked`; whether any label changed. */
async function handOn(warehouse: Warehouse, scratch: Scratch): Promise<boolean> {
  const { shared, linked, next, labels, offers } = scratch;
  const sum = 'sum(cityHash64(row, label))';
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    await putInOrderOfRows(warehouse, scratch);
    await recreate(warehouse, offers, COLUMNS.offers);
    await warehouse.command(
      `INSERT INTO ${offers} SELECT s.type, s.hash, l.label FROM ${shared} AS s ANY LEFT JOIN ${labels} AS l ON s.row = l.row`,
      MERGING,
    );
    await recreate(warehouse, next, COLUMNS.next);
    await warehouse.command(
      `INSERT INTO ${next} SELECT r.row, if(${BETTER}, o.label, r.label), r.own_type, r.own_hash
       FROM ${linked} AS r
       ANY LEFT JOIN (
         SELECT own_type, own_hash, min(label) AS label FROM ${offers} GROUP BY own_type, own_hash
       ) AS o ON r.own_type = o.own_type AND r.own_hash = o.own_hash`,
      MERGING,
    );
    const [changed] = await warehouse.query<{ before: string; after: string }>(
      `SELECT (SELECT ${sum} FROM ${linked}) AS before, (SELECT ${sum} FROM ${next}) AS after`,
      { lane: 'bulk' },
    );
    if (changed?.before === changed?.after) return round > 0;
    await warehouse.command(`EXCHANGE TABLES ${next} AND ${linked}`);
  }
  await putInOrderOfRows(warehouse, scratch);
  return true;
}

/** Fills table `labels` from `linked`. */
async function putInOrderOfRows(warehouse: Warehouse, { labels, linked }: Scratch): Promise<void> {
  await recreate(warehouse, labels, COLUMNS.labels);
  await warehouse.command(`INSERT INTO ${labels} SELECT row, label FROM ${linked}`, MERGING);
}

/** The owner's label is there (its type is not 0) and stronger than the row's own; known rows keep theirs. */
const BETTER = `(${labelRank('r.label')} = 1 AND o.own_type != 0 AND o.label < r.label)`;

/** Gives the rows the labels that were handed on. */
async function putBack(warehouse: Warehouse, { tables }: ResolveRequest, { labels }: Scratch): Promise<void> {
  await replaceRows(
    warehouse,
    tables,
    `SELECT row, ${labelRank('label')}, ${labelPriority('label')}, ${labelHash('label')}, ${labelMpid('label')}, own_type,
       own_hash, matched_by, copies
     FROM (
       SELECT r.row AS row, if(l.there = 1, l.label, r.label) AS label, r.own_type AS own_type, r.own_hash AS own_hash,
         r.matched_by AS matched_by, r.copies AS copies
       FROM (SELECT row, ${LABEL} AS label, own_type, own_hash, matched_by, copies FROM ${tables.rows}) AS r
       ANY LEFT JOIN (SELECT row, label, toUInt8(1) AS there FROM ${labels}) AS l ON r.row = l.row
     )`,
  );
}
