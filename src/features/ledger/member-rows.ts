import { MPID_BYTES, viewOf, type MemberRows } from '../../domain/members/index.js';
import { isPackable } from '../../domain/normalisation/index.js';
import type { SharedAttribute } from '../../domain/identities/index.js';
import type { IdentityForm } from '../../kit/index.js';
import type { Warehouse } from '../../platform/warehouse/index.js';
import { LEAST_WINDOW_ROWS, LedgerRanges, type LedgerRange } from './ledger-range.js';
import { attributeRowsSql, identityRowsSql, inOrderOfTypes, placesOfCodes } from './member-rows-sql.js';
import { oppositeRowsSql, rowsSql, selectSql, type AudienceKey, type Selection } from './selections.js';
import { codesOf, ROWS_SETTINGS, type MpidCondition } from './sql.js';
import { absentTypes } from './absent-types.js';

/** Members as rows, ascending by mpid. All of them are in memory. */
export interface RowsPage {
  rows: MemberRows;
  /** Pass as `after` for the next page; null: this was the last. */
  next: string | null;
  /** Nobody needs these any more once the rows of this page and of those before it were dealt with. */
  spent: readonly Buffer[];
}

/** What all pages have in common. */
export interface RowsRequest {
  forms: readonly IdentityForm[];
  condition?: MpidCondition;
  /** Attributes that go with the identities. */
  attributes?: readonly SharedAttribute[];
}

/** How the identities of a page's members are found. */
type LookUp = 'all' | 'among-all' | 'by-index';

/**
 * Looking members up by the index costs several times what reading the identities one after another does, as long as
 * those of others are not this many times more.
 */
const SPARSE_FACTOR = 10;
/** Where they are no more than so many times the members, nobody is looked up: the merge passes the others by. */
const DENSE_FACTOR = 4;
/** Rows that the index cannot tell from those at the ends of a range. */
const GRANULES_AT_ENDS = 2 * 8192;

const NOTHING = Buffer.alloc(0);

/**
 * Members of a selection, page by page, as the rows of which batches are made. What holds for all pages is asked for
 * once: which types of identity nobody has, whether anybody may have gone again, and how dense the members stand among
 * the people of the workspace, which is the same everywhere because mpids are hashes.
 */
export class MemberPages {
  readonly #forms: readonly IdentityForm[];
  readonly #condition: MpidCondition;
  readonly #ranges: LedgerRanges;
  /** Rows that say the opposite of those by which the selection is found. Undefined: members are asked for, range by range. */
  readonly #opposites: string | undefined;
  #absent: Promise<ReadonlySet<number>> | undefined;
  #hasOpposites: Promise<boolean> | undefined;
  #lookUp: Promise<LookUp> | undefined;

  constructor(
    private readonly warehouse: Warehouse,
    private readonly key: AudienceKey,
    private readonly selection: Selection,
    private readonly request: RowsRequest,
  ) {
    this.#forms = inOrderOfTypes(request.forms);
    this.#condition = request.condition ?? '1';
    this.#ranges = new LedgerRanges(warehouse, key, selection);
    this.#opposites = this.#condition === '1' ? oppositeRowsSql(key, selection) : undefined;
  }

  /** The members among the next `limit` rows of the ledger. */
  async page(page: { after: string | null; limit: number }): Promise<RowsPage> {
    const { attributes: shared = [] } = this.request;
    const named = {
      types: this.#forms.map(({ type }) => type),
      packed: this.#forms.map(isPackable),
      names: shared.map(({ name }) => name),
      placeOf: placesOfCodes(this.#forms),
    };
    const finding = this.#ranges.next(page);
    this.askForAll();
    const found = await finding;
    if (!found) {
      const rows = { owners: NOTHING, identities: NOTHING, attributes: NOTHING, ...named };
      return { rows, next: null, spent: [] };
    }
    const [owners, [identities, attributes]] = await Promise.all([
      this.owners(found),
      this.#forms.length + shared.length === 0 ? [NOTHING, NOTHING] : this.values(found),
    ]);
    const spent = [identities, attributes];
    if (found.window) spent.push(found.window);
    if (owners !== found.candidates) spent.push(owners);
    return { rows: { owners, identities, attributes, ...named }, next: found.next, spent };
  }

  /** Asks for what holds for all pages while the first range is looked for. */
  private askForAll(): void {
    const asked = [this.absent(), this.hasOpposites()];
    // Their failures are heard of where they are needed.
    for (const one of asked) one.catch(() => undefined);
  }

  /** Identities and attributes of those who have such a row; of those of them who are not selected, what is read is passed by. */
  private async values(found: LedgerRange): Promise<[Buffer, Buffer]> {
    const { attributes: shared = [] } = this.request;
    const [absent, lookUp] = await Promise.all([this.absent(), this.lookUp(found)]);
    const likely = `SELECT mpid FROM ${rowsSql(this.key, this.selection)} AND ${found.inside} AND ${this.#condition}`;
    const members = lookUp === 'all' && this.#condition === '1' ? undefined : likely;
    const settings = {
      ...ROWS_SETTINGS,
      use_index_for_in_with_subqueries: lookUp === 'by-index' ? 1 : 0,
    };
    const { workspace } = this.key;
    return Promise.all([
      this.#forms.length === 0
        ? NOTHING
        : this.warehouse.rows(
            identityRowsSql(workspace, members, { places: this.#forms, absent }, found.inside),
            { settings },
          ),
      shared.length === 0
        ? NOTHING
        : this.warehouse.rows(attributeRowsSql(workspace, likely, shared, found.inside), { settings }),
    ]);
  }

  /** Members of the selection in a range. Mostly they are all who have such a row. */
  private async owners(found: LedgerRange): Promise<Buffer> {
    const { warehouse, key, selection } = this;
    if (!(await this.mayHaveOpposites(found.inside))) return withoutRepeats(found.candidates);
    const members = selectSql(key, selection, `${found.inside} AND ${this.#condition}`);
    return warehouse.rows(`${members} ORDER BY mpid`, { settings: ROWS_SETTINGS });
  }

  /** Whether a row in the range may say the opposite of those by which the selection is found. */
  private async mayHaveOpposites(inside: MpidCondition): Promise<boolean> {
    if (this.#opposites === undefined) return true;
    return (await this.hasOpposites()) && this.hasRows(`${this.#opposites} AND ${inside}`);
  }

  /** The same of all rows. */
  private async hasOpposites(): Promise<boolean> {
    if (this.#opposites === undefined) return true;
    return (this.#hasOpposites ??= this.hasRows(this.#opposites));
  }

  /** The first one is enough: of a first version, all rows are the opposite of leaving. */
  private async hasRows(rows: string): Promise<boolean> {
    const [row] = await this.warehouse.query<{ n: string }>(
      `SELECT count() AS n FROM (SELECT 1 FROM ${rows} LIMIT 1)`,
    );
    return Number(row?.n) > 0;
  }

  private absent(): Promise<ReadonlySet<number>> {
    this.#absent ??= absentTypes(this.warehouse, this.key.workspace, codesOf(this.#forms));
    return this.#absent;
  }

  private lookUp(found: LedgerRange): Promise<LookUp> {
    this.#lookUp ??= this.estimated(found);
    return this.#lookUp;
  }

  /** By the index alone: it reads no rows. */
  private async estimated({ inside, rows }: LedgerRange): Promise<LookUp> {
    const [estimate] = await this.warehouse.query<{ identities: string }>(
      `SELECT sum(rows) AS identities FROM (
         EXPLAIN ESTIMATE SELECT mpid FROM profiles WHERE workspace = ${this.key.workspace} AND ${inside})`,
    );
    const identities = Number(estimate?.identities ?? 0);
    if (identities > SPARSE_FACTOR * Math.max(rows, LEAST_WINDOW_ROWS)) return 'by-index';
    return identities - GRANULES_AT_ENDS <= DENSE_FACTOR * rows ? 'all' : 'among-all';
  }
}

/** Rows that were written twice stand side by side. */
function withoutRepeats(mpids: Buffer): Buffer {
  const view = viewOf(mpids);
  const repeats: number[] = [];
  for (let at = MPID_BYTES; at < mpids.length; at += MPID_BYTES) {
    const isSameLow = view.getInt32(at, true) === view.getInt32(at - MPID_BYTES, true);
    if (isSameLow && view.getInt32(at + 4, true) === view.getInt32(at - 4, true)) repeats.push(at);
  }
  if (repeats.length === 0) return mpids;
  const ends = [...repeats, mpids.length];
  return Buffer.concat(
    ends.map((end, index) => mpids.subarray(index === 0 ? 0 : (repeats[index - 1] ?? 0) + MPID_BYTES, end)),
  );
}
