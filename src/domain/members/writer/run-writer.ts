import type { MemberRun } from '../member-cursor.js';
import { MPID_BYTES } from '../member-rows.js';
import type { Layout } from './layout.js';
import { FIELD, STATUS, WriterMemory, type Window } from './writer-memory.js';

/** What was written of some runs so far. */
export interface Progress {
  /** Members, or rows of the present array. */
  written: number;
  /** Rows of the present member that were written already, and its number. */
  row: number;
  member: number;
}

/** What a step wrote. */
export interface Written {
  /** In the writer's memory: good until the next step, of whatever run. */
  json: Uint8Array;
  /** The member of each row. */
  rowOwners: Int32Array;
}

/** For what a window is too small. */
const WINDOW_OF: Readonly<Record<number, Window>> = {
  [STATUS.identities]: 'identities',
  [STATUS.attributes]: 'attributes',
  [STATUS.room]: 'room',
  [STATUS.values]: 'values',
};

/** Made for the first run. */
let shared: WriterMemory | undefined;

/** Writes the members of one run who have an identity, some in each step. */
export class RunWriter {
  private owner: number;
  private identity: number;
  private attribute: number;
  private readonly memory = (shared ??= new WriterMemory());

  constructor(
    private readonly run: MemberRun,
    private readonly layout: Layout,
    private readonly progress: Progress,
  ) {
    const { owner, identity, attribute } = run.start;
    this.owner = owner;
    this.identity = identity;
    this.attribute = attribute;
  }

  /** Writes step by step to the end of the run. `most`: rows of one array. */
  *steps(most?: number): Generator<Written, void> {
    do yield this.step(most);
    while (this.owner < this.run.end);
  }

  private step(most = Number.MAX_SAFE_INTEGER): Written {
    const { memory, progress } = this;
    memory.use(this.layout.image);
    let fillsWindow = false;
    for (;;) {
      const { written } = progress;
      this.fill(Math.min(most, written + memory.size.rowOwners / 4), fillsWindow);
      const status = memory.write();
      const hasMoved = this.advance();
      const window = WINDOW_OF[status];
      if (window === undefined || hasMoved) return this.taken(written);
      // Mostly so many identities as are expected are copied, and not as many as fit.
      if (window === 'identities' && !fillsWindow) fillsWindow = true;
      else this.widen(window);
    }
  }

  private fill(most: number, fillsWindow: boolean): void {
    const { memory, layout, run, progress } = this;
    const { at, size } = memory;
    const { owners, identities, attributes } = run.rows;
    const ownersBytes = this.put('owners', owners.subarray(0, run.end), this.owner, size.owners);
    const expected = Math.ceil((ownersBytes / MPID_BYTES) * layout.bytesPerOwner * 1.1) + 2 ** 12;
    const wanted = fillsWindow ? size.identities : expected;
    const identityBytes = this.put('identities', identities, this.identity, wanted);
    const attributeBytes = this.put('attributes', attributes, this.attribute, size.attributes);
    const { fields } = memory;
    fields[FIELD.owner] = at.owners;
    fields[FIELD.ownersEnd] = at.owners + ownersBytes;
    fields[FIELD.identity] = at.identities;
    fields[FIELD.identitiesEnd] = at.identities + identityBytes;
    fields[FIELD.isLastIdentity] = Number(this.identity + identityBytes === identities.length);
    fields[FIELD.attribute] = at.attributes;
    fields[FIELD.attributesEnd] = at.attributes + attributeBytes;
    fields[FIELD.isLastAttribute] = Number(this.attribute + attributeBytes === attributes.length);
    fields[FIELD.out] = at.room;
    fields[FIELD.outEnd] = at.room + size.room;
    fields[FIELD.written] = progress.written;
    fields[FIELD.most] = most;
    fields[FIELD.row] = progress.row;
    fields[FIELD.member] = progress.member;
    fields[FIELD.values] = at.values;
    fields[FIELD.valuesEnd] = at.values + size.values;
    // So that the first row of this step is the first there.
    fields[FIELD.rowOwners] = at.rowOwners - 4 * progress.written;
    fields[FIELD.columns] = layout.columns;
    fields[FIELD.longest] = layout.longest;
  }

  /** Copies what stands from `from` on into a window, as much as fits; how many bytes that are. */
  private put(window: Window, source: Buffer, from: number, wanted: number): number {
    const { bytes, at, size } = this.memory;
    const length = Math.min(wanted, size[window], source.length - from);
    bytes.set(source.subarray(from, from + length), at[window]);
    return length;
  }

  /** Whether a member was dealt with, or anything passed by. */
  private advance(): boolean {
    const { memory, progress, layout } = this;
    const { fields, at } = memory;
    const field = (index: number) => fields[index] ?? 0;
    const owners = (field(FIELD.owner) - at.owners) / MPID_BYTES;
    const identityBytes = field(FIELD.identity) - at.identities;
    const attributeBytes = field(FIELD.attribute) - at.attributes;
    if (owners > 0) layout.bytesPerOwner = identityBytes / owners;
    this.owner += owners * MPID_BYTES;
    this.identity += identityBytes;
    this.attribute += attributeBytes;
    progress.written = field(FIELD.written);
    progress.row = field(FIELD.row);
    progress.member = field(FIELD.member);
    return owners + identityBytes + attributeBytes > 0;
  }

  private taken(before: number): Written {
    const { memory, progress } = this;
    const { bytes, fields, at } = memory;
    const first = at.rowOwners / 4;
    return {
      json: bytes.subarray(at.room, fields[FIELD.out]),
      rowOwners: fields.subarray(first, first + progress.written - before),
    };
  }

  /** Nothing was written of a member because one of its parts is larger than a window. */
  private widen(window: Window): void {
    const { rows } = this.run;
    const isWhole = (name: 'identities' | 'attributes', from: number) =>
      window === name && this.memory.size[name] >= rows[name].length - from;
    if (isWhole('identities', this.identity) || isWhole('attributes', this.attribute)) {
      throw new Error(
        'The engine handed out rows that end in the midst of one. This is a mistake of the hub: report it with the version ' +
          'of the engine.',
      );
    }
    this.memory.widen(window);
  }
}
