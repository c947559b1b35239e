import { z } from 'zod';
import {
  defineOutput,
  fault,
  faultFromStatus,
  LIST_GONE,
  type AnyConnector,
  type Batch,
  type BatchResult,
  type ConnectorError,
  type IdentityType,
  type OutputMember,
  type RejectedMember,
} from '../../src/kit/index.js';
import type { Life } from './life.js';
import { Moods } from './moods.js';
import { PartnerJobs } from './partner-jobs.js';
import { SimList } from './partner-list.js';
import { PartnerRecord } from './partner-record.js';
import { personOf } from './people.js';

/** The kinds of partner: one that answers at once, one that makes jobs of batches, one that takes whole states. */
export const SIM_PLUGINS = ['sim-list', 'sim-jobs', 'sim-whole'] as const;
export type SimPlugin = (typeof SIM_PLUGINS)[number];

/** What each takes of a person. */
export const IDENTITIES_OF: Readonly<Record<SimPlugin, readonly IdentityType[]>> = {
  'sim-list': ['email'],
  'sim-jobs': ['customer_id', 'phone'],
  'sim-whole': ['email', 'phone'],
};

/** A process of the hub, as the partner sees it. */
export interface Caller {
  life: Life;
  /** The delivery that it works on. */
  working(): string | undefined;
  /** Whether another process works on it, which still has the right to. */
  intrudes(): boolean;
  /** Whether it may write down what it is answered. */
  mayWrite(): Promise<boolean>;
  /** Ends when the answer may be given. */
  stall(): Promise<void>;
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
  readonly record = new PartnerRecord();
  readonly #keys = new Map<string, string>();
  readonly #jobs = new PartnerJobs();

  /** @param isWrittenDown whether the hub has written down that a member was dealt with in a delivery */
  constructor(private readonly isWrittenDown: (deliveryId: string, mpid: string) => Promise<boolean>) {}

  /** Everything is well again. Whom it refuses it still refuses. */
  mend(): void {
    for (const plugin of SIM_PLUGINS) this.moods[plugin].mend();
  }

  connectorsFor(caller: Caller): AnyConnector[] {
    return SIM_PLUGINS.map((plugin) => this.#connector(plugin, caller));
  }

  #connector(plugin: SimPlugin, caller: Caller): AnyConnector {
    const serve = <T>(list: string | undefined, work: () => Promise<T>) =>
      this.#serve(plugin, caller, list, work);
    const batch =
      (change: 'add' | 'remove') =>
      (_: unknown, { externalId }: { externalId: string }, given: Batch): Promise<BatchResult> =>
        serve(externalId, () => this.#take(plugin, caller, externalId, change, given));
    const replace = {
      wanted: () => true,
      write: (_: unknown, { externalId }: { externalId: string }, given: Batch, part: number) =>
        serve(externalId, () => Promise.resolve(this.#write(caller, externalId, given, part))),
      finish: (
        _: unknown,
        { externalId }: { externalId: string },
        whole: { toVersion: number; parts: number; members: number },
      ) => serve(externalId, () => this.#finish(caller, externalId, whole)),
    };
    return defineOutput({
      id: plugin,
      name: plugin,
      description: 'A partner of the simulation.',
      version: '1.0.0',
      settings: z.object({}),
      credentials: z.object({}),
      connectionSettings: z.object({}),
      identities: IDENTITIES_OF[plugin].map((type) => ({ type, encoding: 'raw' as const })),
      limits: { batchSize: plugin === 'sim-jobs' ? 9 : 6, concurrency: plugin === 'sim-jobs' ? 2 : 1 },
      check: () => Promise.resolve(),
      audience: {
        create: ({ connectionId }, { name, key = '' }) =>
          serve(undefined, () => Promise.resolve(this.#create(key, connectionId, name))),
        rename: (_, { externalId, name }) =>
          serve(externalId, () => {
            this.#list(externalId).name = name;
            return Promise.resolve();
          }),
        add: batch('add'),
        ...(plugin === 'sim-whole' ? { replace } : { remove: batch('remove') }),
        ...(plugin === 'sim-jobs'
          ? { poll: (_: unknown, jobId: string) => serve(undefined, async () => this.#jobs.look(jobId)) }
          : {}),
      },
    });
  }

  /** One call: it may be cut off before or after it is done, fail before or after, and be answered late. */
  #serve<T>(
    plugin: SimPlugin,
    caller: Caller,
    listId: string | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    return caller.life.call(async () => {
      if (caller.intrudes())
        this.record.violations.push(`Two processes deliver ${caller.working()} at once.`);
      const failure = this.moods[plugin].nextCall();
      if (failure && !failure.applied) throw failure.error;
      const list = listId === undefined ? undefined : this.#list(listId);
      if (list?.gone) {
        list.missed = true;
        throw fault.config(LIST_GONE, 'The list is there no more.');
      }
      this.record.isHeard = await caller.mayWrite();
      const answer = await work();
      if (failure) throw failure.error;
      await caller.stall();
      return answer;
    });
  }

  #create(key: string, connectionId: string, name: string): { externalId: string } {
    const externalId = this.#keys.get(key) ?? `list-${this.lists.size + 1}`;
    if (!this.#keys.has(key)) this.lists.set(externalId, new SimList(externalId, connectionId, name));
    this.#keys.set(key, externalId);
    return { externalId };
  }

  async #take(
    plugin: SimPlugin,
    caller: Caller,
    listId: string,
    change: 'add' | 'remove',
    batch: Batch,
  ): Promise<BatchResult> {
    this.record.holdToContents(change, batch);
    const list = this.#list(listId);
    const deliveryId = this.#deliveryOf(caller);
    const refusal = this.#wholeRefusal(batch, deliveryId, change, list);
    if (plugin === 'sim-jobs') return this.#makeJob(list, deliveryId, change, batch, refusal);
    if (refusal) throw refusal;
    return { status: 'done', rejected: await this.#apply(plugin, list, deliveryId, change, batch.members) };
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
    plugin: SimPlugin,
    list: SimList,
    deliveryId: string,
    change: 'add' | 'remove',
    members: readonly OutputMember[],
  ): Promise<RejectedMember[]> {
    const rejected = this.#rejectedOf(plugin, members);
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
    for (const [index, { mpid }] of members.entries()) {
      this.record.answered(deliveryId, change, mpid, !refused.has(index));
      const before = list.members.get(mpid)?.deliveryId;
      // Whom it would not let go is there without the hub's doing.
      if (change !== 'add' || before === undefined || list.refused.get(mpid) === 'remove') continue;
      const writtenDown = await this.isWrittenDown(deliveryId, mpid);
      this.record.repeats.push({ list, mpid, deliveryId, before, writtenDown });
    }
    return () => {
      for (const [index, member] of members.entries()) {
        if (refused.has(index)) list.refused.set(member.mpid, change);
        else if (change === 'add') list.add(member, deliveryId);
        else list.remove(member.mpid);
      }
    };
  }

  #write(caller: Caller, listId: string, batch: Batch, part: number): RejectedMember[] {
    const list = this.#list(listId);
    const deliveryId = this.#deliveryOf(caller);
    const rejected = this.#rejectedOf('sim-whole', batch.members);
    const refused = new Set(rejected.map(({ index }) => index));
    const draft = list.drafts.get(batch.toVersion) ?? new Map<number, never>();
    draft.set(part, {
      members: batch.members.filter((_, index) => !refused.has(index)),
      refused: batch.members.flatMap(({ mpid }, index) => (refused.has(index) ? [mpid] : [])),
    });
    list.drafts.set(batch.toVersion, draft);
    for (const [index, { mpid }] of batch.members.entries()) {
      this.record.answered(deliveryId, 'replace', mpid, !refused.has(index));
    }
    return rejected;
  }

  #finish(
    caller: Caller,
    listId: string,
    { toVersion, parts, members }: { toVersion: number; parts: number; members: number },
  ): Promise<void> {
    const deliveryId = this.#deliveryOf(caller);
    const has = this.#list(listId).finish(toVersion, parts, deliveryId);
    if (has !== members) {
      this.record.violations.push(
        `The whole state of version ${toVersion} has ${has} members, not ${members}.`,
      );
    }
    return Promise.resolve();
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
      this.record.answered(deliveryId, change, only.mpid, false);
      list.refused.set(only.mpid, change);
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
