import {
  fault,
  faultFromStatus,
  LIST_GONE,
  type AnyConnector,
  type Batch,
  type BatchResult,
  type ConnectorError,
  type OutputMember,
  type RejectedMember,
} from '../../src/kit/index.js';
import { forget, type Moment } from './forgetting.js';
import type { Life } from './life.js';
import { Moods } from './moods.js';
import { connectorOf } from './partner-connector.js';
import { PartnerJobs } from './partner-jobs.js';
import { SIM_PLUGINS, type SimPlugin } from './partner-kinds.js';
import { SimList } from './partner-list.js';
import { PartnerRecord } from './partner-record.js';
import { personOf } from './people.js';

/** What the partner is asked for. */
export interface Call {
  plugin: SimPlugin;
  connectionId: string;
  /** Absent: no list. */
  listId?: string;
  change?: 'add' | 'remove';
}

/** A process of the hub, as the partner sees it. */
export interface Caller {
  life: Life;
  /** The delivery that it works on. */
  working(): string | undefined;
  /** Whether another process works on it, which still has the right to. */
  intrudes(): boolean;
  /** Whether it has the right to go on with what it does. */
  mayGoOn(): Promise<boolean>;
  /** Calls of processes that wait for their answers and have the right to go on with what they do. */
  callsOfOthers(): Call[];
  /** Ends when the answer to the call may be given. */
  stall(call: Call): Promise<void>;
}

/** What the hub has in its database. */
export interface KnownByTheHub {
  /** Whether a member was dealt with in a delivery. */
  isWrittenDown(deliveryId: string, mpid: string): Promise<boolean>;
  /** Whether a connection is being deleted. */
  isLeaving(connectionId: string): Promise<boolean>;
}

/** A partner in the same process, which keeps a set per list and lies at times. */
export class SimPartner {
  readonly lists = new Map<string, SimList>();
  readonly moods: Readonly<Record<SimPlugin, Moods>> = {
    'sim-list': new Moods(),
    'sim-jobs': new Moods(),
    'sim-whole': new Moods(),
  };
  /** Persons whose rows are refused one by one, and those because of whom a whole batch is. */
  readonly refusedRows = new Set<number>();
  readonly poison = new Set<number>();
  /** Persons who are to be nowhere any more. */
  readonly gone = new Set<number>();
  readonly record = new PartnerRecord();
  readonly #keys = new Map<string, string>();
  readonly #jobs = new PartnerJobs();

  constructor(
    private readonly hub: KnownByTheHub,
    private readonly moment: () => Moment,
  ) {}

  /** Forgets whom nobody added again. */
  forgetAll(): void {
    for (const list of this.lists.values()) this.record.violations.push(...forget(list, this.moment()));
  }

  /** Everything is well again. Whom it refuses it still refuses. */
  mend(): void {
    for (const plugin of SIM_PLUGINS) this.moods[plugin].mend();
  }

  connectorsFor(caller: Caller): AnyConnector[] {
    return SIM_PLUGINS.map((plugin) => connectorOf(plugin, this, caller));
  }

  /** One call: it may be cut off before or after it is done, fail before or after, and be answered late. */
  serve<T>(caller: Caller, call: Call, work: (list: SimList) => T | Promise<T>): Promise<T> {
    return caller.life.call(async () => {
      if (caller.intrudes())
        this.record.violations.push(`Two processes deliver ${caller.working()} at once.`);
      if (!(await caller.mayGoOn()))
        this.record.violations.push(`Another process has ${caller.working()} by now.`);
      const failure = this.moods[call.plugin].nextCall();
      if (failure && !failure.applied) throw failure.error;
      const list =
        call.listId === undefined ? new SimList('none', call.plugin, '', false) : this.#list(call.listId);
      if (list.gone) {
        list.missedBy.add(call.connectionId);
        throw fault.config(LIST_GONE, 'The list is there no more.');
      }
      await this.#holdToTurns(call, caller.callsOfOthers());
      const answer = await work(list);
      if (failure) throw failure.error;
      await caller.stall(call);
      return answer;
    });
  }

  /** A list that is shared is made once, by whoever comes first; any other is its key's. */
  create(plugin: SimPlugin, key: string, { name, shared }: { name: string; shared: boolean }) {
    const same = [...this.lists.values()].find(
      (list) => list.shared && list.plugin === plugin && list.name === name && !list.gone,
    );
    const made = this.#keys.get(key);
    const known = shared ? same?.id : made;
    const externalId = known ?? `list-${this.lists.size + 1}`;
    if (known === undefined) this.lists.set(externalId, new SimList(externalId, plugin, name, shared));
    this.#keys.set(key, externalId);
    return { externalId, found: known !== undefined && known !== made };
  }

  jobAnswer(jobId: string): BatchResult {
    return this.#jobs.look(jobId);
  }

  endJobs(jobIds: Iterable<string>): void {
    this.#jobs.end(jobIds);
  }

  async take(caller: Caller, list: SimList, change: 'add' | 'remove', batch: Batch): Promise<BatchResult> {
    this.record.holdToContents(change, batch);
    const { plugin } = list;
    const deliveryId = this.#deliveryOf(caller);
    if (change === 'add') this.#holdToLeft(list, batch);
    const refusal = this.#wholeRefusal(batch, deliveryId, change, list);
    if (plugin === 'sim-jobs') return this.#makeJob(list, deliveryId, change, batch, refusal);
    if (refusal) throw refusal;
    return { status: 'done', rejected: await this.#apply(list, deliveryId, change, batch.members) };
  }

  async #makeJob(
    list: SimList,
    deliveryId: string,
    change: 'add' | 'remove',
    { id, members }: Batch,
    refusal: ConnectorError | undefined,
  ): Promise<BatchResult> {
    const known = this.#jobs.pendingFor(id);
    if (known) return known;
    const looksInVain = this.moods['sim-jobs'].looksInVain();
    if (refusal) return this.#jobs.take(id, { looksInVain, answer: refusal, apply: undefined });
    const rejected = this.#rejectedOf('sim-jobs', members);
    const apply = await this.#change(list, deliveryId, change, members, rejected);
    return this.#jobs.take(id, { looksInVain, answer: rejected, apply });
  }

  async #apply(
    list: SimList,
    deliveryId: string,
    change: 'add' | 'remove',
    members: readonly OutputMember[],
  ): Promise<RejectedMember[]> {
    const rejected = this.#rejectedOf(list.plugin, members);
    const apply = await this.#change(list, deliveryId, change, members, rejected);
    apply();
    return rejected;
  }

  /** Notes who is added again and what is answered; what it gives does the rest. */
  async #change(
    list: SimList,
    deliveryId: string,
    change: 'add' | 'remove',
    members: readonly OutputMember[],
    rejected: readonly RejectedMember[],
  ): Promise<() => void> {
    const refused = new Set(rejected.map(({ index }) => index));
    for (const [index, member] of members.entries()) {
      const { mpid } = member;
      this.record.answered(deliveryId, change, member, !refused.has(index));
      const before = list.members.get(mpid)?.deliveryId;
      // Whom it would not let go is there without the hub's doing.
      if (change !== 'add' || before === undefined || list.refused.get(mpid) === 'remove') continue;
      const writtenDown = await this.hub.isWrittenDown(deliveryId, mpid);
      this.record.repeats.push({ list, mpid, person: personOf(member), deliveryId, before, writtenDown });
    }
    return () => {
      for (const [index, member] of members.entries()) {
        if (refused.has(index)) list.refuse(member.mpid, change);
        else if (change === 'add') list.add(member, deliveryId, this.moment());
        else list.remove(member);
        list.tell(member.mpid, `${change} ${deliveryId}`);
      }
    };
  }

  write(caller: Caller, list: SimList, batch: Batch, part: number): RejectedMember[] {
    const deliveryId = this.#deliveryOf(caller);
    this.#holdToLeft(list, batch);
    const rejected = this.#rejectedOf('sim-whole', batch.members);
    const refused = new Set(rejected.map(({ index }) => index));
    const draft = list.drafts.get(batch.toVersion) ?? new Map<number, never>();
    draft.set(part, {
      members: batch.members.filter((_, index) => !refused.has(index)),
      refused: batch.members.flatMap(({ mpid }, index) => (refused.has(index) ? [mpid] : [])),
    });
    list.drafts.set(batch.toVersion, draft);
    for (const [index, member] of batch.members.entries()) {
      this.record.answered(deliveryId, 'replace', member, !refused.has(index));
    }
    return rejected;
  }

  finish(
    caller: Caller,
    list: SimList,
    { toVersion, parts, members }: { toVersion: number; parts: number; members: number },
  ): void {
    const deliveryId = this.#deliveryOf(caller);
    const has = list.finish(toVersion, parts, deliveryId, this.moment());
    if (has !== members) {
      this.record.violations.push(
        `The whole state of version ${toVersion} has ${has} members, not ${members}.`,
      );
    }
  }

  /** Nobody takes members out of a list, while somebody else is about to bring some there who are to stay. */
  async #holdToTurns(call: Call, others: readonly Call[]): Promise<void> {
    const { listId, connectionId, change } = call;
    const other = others.find((one) => one.listId === listId && one.connectionId !== connectionId);
    if (!listId || !change || !other?.change || other.change === change) return;
    const bringing = change === 'add' ? call : other;
    if (await this.hub.isLeaving(bringing.connectionId)) return;
    this.record.violations.push(
      `${connectionId} (${change}) and ${other.connectionId} (${other.change}) are at ${listId} at once.`,
    );
  }

  #holdToLeft({ id }: SimList, { members }: Batch): void {
    for (const person of members.map(personOf).filter((one) => this.gone.has(one))) {
      this.record.violations.push(`Person ${person} had left, and was sent to ${id}.`);
    }
  }

  #rejectedOf(plugin: SimPlugin, members: readonly OutputMember[]): RejectedMember[] {
    const partly = this.moods[plugin].isPartial();
    return members.flatMap((member, index) =>
      this.refusedRows.has(personOf(member)) || (partly && index % 3 === 0)
        ? [{ index, code: 'UNKNOWN_PERSON', message: 'Nobody here' }]
        : [],
    );
  }

  #wholeRefusal(
    { members }: Batch,
    deliveryId: string,
    change: 'add' | 'remove',
    list: SimList,
  ): ConnectorError | undefined {
    if (!members.some((member) => this.poison.has(personOf(member)))) return undefined;
    const [only] = members;
    if (only && members.length === 1) {
      this.record.answered(deliveryId, change, only, false);
      list.refuse(only.mpid, change);
    }
    return faultFromStatus(422, 'A row cannot be read.');
  }

  #deliveryOf(caller: Caller): string {
    const id = caller.working();
    if (id === undefined) throw new Error('The partner was called outside a delivery.');
    return id;
  }

  #list(id: string): SimList {
    const list = this.lists.get(id);
    if (!list) throw new Error(`The hub speaks of list ${id}, which was never made.`);
    return list;
  }
}
