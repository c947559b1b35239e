import { addMembers, memberObjects, rowsOfRuns, type MemberRun } from '../../domain/members/index.js';
import {
  JsonText,
  rowsOfObjects,
  type Batch,
  type OutputMember,
  type RowColumn,
  type RowsJson,
  type RowsOptions,
} from '../../kit/index.js';
import { BodyMemory } from './body-memory.js';

/** What is known of the members of some runs without looking at them again. */
export interface ListFacts {
  size: number;
  firstMpid: string;
  lastMpid: string;
}

/** What the lists of a delivery have in common. */
export class Habit {
  /** What lists were last asked for: the next ones are made ready as that. */
  asked: 'json' | 'objects' | 'rows' | undefined;
  /** Bytes in front of the last JSON. */
  frontBytes = 0;
  readonly memory = new BodyMemory();
}

/**
 * Members of a batch, as the rows that the engine handed over or as objects, which are made of them when somebody asks.
 * Of most batches only the JSON is asked for, which is written once: as the body of a request.
 */
export class MemberList {
  #members: readonly OutputMember[] | undefined;
  /** The JSON array, where it was made before anybody asked. */
  #json: JsonText | undefined;
  /** Memory of all texts that were made of the list. */
  #lent: Uint8Array<ArrayBuffer>[] = [];

  private constructor(
    private readonly facts: ListFacts,
    members: readonly OutputMember[] | undefined,
    private readonly runs: readonly MemberRun[],
    private readonly habit: Habit,
  ) {
    this.#members = members;
  }

  static of(members: readonly OutputMember[]): MemberList {
    const [firstMpid, lastMpid] = [members.at(0)?.mpid ?? '', members.at(-1)?.mpid ?? ''];
    return new MemberList({ size: members.length, firstMpid, lastMpid }, members, [], new Habit());
  }

  /** @param runs parts of pages, which are there until the batch is settled. */
  static ofRuns(runs: readonly MemberRun[], facts: ListFacts, habit = new Habit()): MemberList {
    return new MemberList(facts, undefined, runs, habit);
  }

  get size(): number {
    return this.facts.size;
  }

  get members(): readonly OutputMember[] {
    this.habit.asked = 'objects';
    return this.objects();
  }

  /** Makes what will be asked for, so that it is there while something else is waited for. */
  prepare(): void {
    if (this.habit.asked === 'objects') this.objects();
    if (this.habit.asked === 'json') this.#json ??= this.written();
  }

  /** The JSON array of the members between two texts. Its memory is good until {@link settle}. */
  json(front = '', back = ''): Buffer {
    this.habit.asked = 'json';
    if (this.#members) return Buffer.from(front + JSON.stringify(this.#members) + back);
    this.habit.frontBytes = Buffer.byteLength(front);
    const text = this.#json ?? this.written();
    this.#json = undefined;
    return text.take(front, back);
  }

  /** An empty text. Its memory is good until {@link settle}. */
  text(room = 0): JsonText {
    const { memory } = this.habit;
    const lend = (bytes: number) => {
      const lent = memory.lend(bytes);
      this.#lent.push(lent);
      return lent;
    };
    const giveBack = (lent: Uint8Array<ArrayBuffer>) => {
      this.#lent = this.#lent.filter((other) => other !== lent);
      memory.giveBack(lent);
    };
    return new JsonText({ lend, giveBack }, room);
  }

  /**
   * Nobody reads the texts of this list any more. Not to be called after a failure, nor before all that was sent has
   * left the process: see {@link settleWhenWritten}.
   */
  settle(): void {
    for (const lent of this.#lent) this.habit.memory.giveBack(lent);
    this.#lent = [];
    this.#json = undefined;
  }

  /** See the kit's `Batch`. */
  async rowsJson(columns: readonly RowColumn[], options: RowsOptions): Promise<RowsJson[]> {
    this.habit.asked = 'rows';
    const newText = () => this.text(options.room);
    if (this.#members) return rowsOfObjects(this.#members, columns, options, newText);
    const arrays: RowsJson[] = [];
    for (const rows of rowsOfRuns(this.thoseThere(), columns, options.most, newText)) {
      if (rows) arrays.push(rows);
      else await new Promise((resolve) => setImmediate(resolve));
    }
    return arrays;
  }

  /** '' where there is nobody. */
  get firstMpid(): string {
    return this.facts.firstMpid;
  }

  get lastMpid(): string {
    return this.facts.lastMpid;
  }

  /** Those from `start` up to `end`, which is not among them. */
  slice(start: number, end?: number): MemberList {
    return MemberList.of(this.members.slice(start, end));
  }

  private written(): JsonText {
    const text = this.text(this.habit.frontBytes);
    addMembers(text, this.thoseThere());
    return text;
  }

  private objects(): readonly OutputMember[] {
    this.#members ??= this.thoseThere().flatMap(memberObjects);
    return this.#members;
  }

  private thoseThere(): readonly MemberRun[] {
    if (this.runs.every(({ rows }) => rows.owners.length > 0)) return this.runs;
    throw new Error(
      'The members of a batch that is settled are asked for; a connector went on after its answer.',
    );
  }
}

/** The members as connectors get them. */
export function asBatch(list: MemberList, rest: Pick<Batch, 'id' | 'fromVersion' | 'toVersion'>): Batch {
  return new ListBatch(list, rest);
}

/**
 * A class, because an object with a getter of its own is another kind of object each time, and each kind keeps its batch
 * until the whole heap is collected. Its functions may be taken out of it.
 */
class ListBatch implements Batch {
  readonly id: string;
  readonly fromVersion: number;
  readonly toVersion: number;
  readonly size: number;
  readonly membersJson: Batch['membersJson'] = (front, back) => this.list.json(front, back);
  readonly rowsJson: Batch['rowsJson'] = (columns, options) => this.list.rowsJson(columns, options);
  readonly text: Batch['text'] = (room) => this.list.text(room);

  constructor(
    private readonly list: MemberList,
    { id, fromVersion, toVersion }: Pick<Batch, 'id' | 'fromVersion' | 'toVersion'>,
  ) {
    this.id = id;
    this.fromVersion = fromVersion;
    this.toVersion = toVersion;
    this.size = list.size;
  }

  get members(): readonly OutputMember[] {
    return this.list.members;
  }
}

/**
 * Gives back the memory of a list's texts, for which the partner has answered: as soon as they have left the process. A
 * receiver may answer first and read the rest afterwards, and is to find it as it was.
 */
export function settleWhenWritten(list: MemberList, line: { written?(): Promise<void> }): void {
  void line.written?.().then(() => list.settle());
}
