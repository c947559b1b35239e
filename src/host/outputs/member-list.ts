import { memberObjects, membersJson, visitMembers, type MemberRun } from '../../domain/members/index.js';
import { visitObjects, type Batch, type MemberView, type OutputMember } from '../../kit/index.js';

/** What is known of the members of some runs without looking at them again. */
export interface ListFacts {
  size: number;
  firstMpid: string;
  lastMpid: string;
}

/** What lists were last asked for: the next ones are made ready as that. */
export interface Habit {
  asked?: 'json' | 'objects' | 'visit';
}

/**
 * Members of a batch, as the rows that the engine handed over or as objects, which are made of them when somebody asks.
 * Of most batches only the JSON is asked for, which is written once: as the body of a request.
 */
export class MemberList {
  #members: readonly OutputMember[] | undefined;
  /** The JSON array, where it was made before anybody asked. */
  #json: Buffer | undefined;

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
    return new MemberList({ size: members.length, firstMpid, lastMpid }, members, [], {});
  }

  /** @param runs parts of pages, which are there until the batch is settled. */
  static ofRuns(runs: readonly MemberRun[], facts: ListFacts, habit: Habit = {}): MemberList {
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
    if (this.habit.asked === 'json') this.#json ??= membersJson(this.thoseThere(), '', '');
  }

  /** The JSON array of the members between two texts, as a buffer of its own. */
  json(front = '', back = ''): Buffer {
    this.habit.asked = 'json';
    if (this.#members) return Buffer.from(front + JSON.stringify(this.#members) + back);
    const made = this.#json;
    this.#json = undefined;
    if (made) return Buffer.concat([Buffer.from(front), made, Buffer.from(back)]);
    return membersJson(this.thoseThere(), front, back);
  }

  /** See the kit's `Batch`. */
  visit(visitor: (member: MemberView, index: number) => void): void {
    this.habit.asked = 'visit';
    if (this.#members) return visitObjects(this.#members, visitor);
    let index = 0;
    for (const run of this.thoseThere()) index = visitMembers(run, index, visitor);
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
  return {
    ...rest,
    size: list.size,
    get members() {
      return list.members;
    },
    membersJson: (front, back) => list.json(front, back),
    visit: (visitor) => list.visit(visitor),
  };
}
