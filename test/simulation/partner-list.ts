import type { OutputMember } from '../../src/kit/index.js';
import { personOf } from './people.js';
import type { Moment } from './forgetting.js';
import type { SimPlugin } from './partner-kinds.js';

export type Change = 'add' | 'remove' | 'replace';

/** Identities of a member, as they were sent: `email=…`, sorted. */
export type SentIdentities = readonly string[];

/** What a partner keeps of a member. */
interface Kept {
  person: number;
  added: Moment;
  identities: SentIdentities;
  attributes: Readonly<Record<string, string>>;
  /** The delivery that brought it last. */
  deliveryId: string;
}

/** Somebody who was added and was there already. */
export interface Repeat {
  list: SimList;
  mpid: string;
  person: number;
  deliveryId: string;
  /** The delivery that had brought the same member before. */
  before: string;
  /** True where the hub had written down before that this member was dealt with. */
  writtenDown: boolean;
}

/** An audience at the partner. */
export class SimList {
  readonly members = new Map<string, Kept>();
  /** Members whose last change was refused, and the hub was told so. */
  readonly refused = new Map<string, Change>();
  /** Whom the partner lost, and the connections that were asked to send them again since. */
  readonly lost = new Map<string, Set<string>>();
  /** What was done about each, for whoever looks for the reason of a difference. */
  readonly story = new Map<string, string[]>();
  /** Whether anybody was ever refused. */
  wasRefused = false;
  /** When it was last seen that nothing could be sent to it. Milliseconds since 1970. */
  stoppedMs = Number.NEGATIVE_INFINITY;
  gone = false;
  /** Whether it is gone because the hub had it deleted. */
  deleted = false;
  /** Connections that asked for it after it was gone. */
  readonly missedBy = new Set<string>();
  /** Whole states by version, as they are written part by part. */
  readonly drafts = new Map<number, Map<number, { members: OutputMember[]; refused: string[] }>>();

  /** @param shared whether every connection that names it sends to it */
  constructor(
    readonly id: string,
    readonly plugin: SimPlugin,
    public name: string,
    readonly shared: boolean,
  ) {}

  has(person: number): boolean {
    return [...this.members.values()].some((one) => one.person === person);
  }

  /** Whether somebody was to be taken out, and that was refused. */
  keeps(person: number): boolean {
    return [...this.members].some(
      ([mpid, one]) => one.person === person && this.refused.get(mpid) === 'remove',
    );
  }

  add({ mpid, identities, attributes = {} }: OutputMember, deliveryId: string, added: Moment): void {
    this.refused.delete(mpid);
    this.lost.delete(mpid);
    this.members.set(mpid, {
      person: personOf({ identities }),
      added,
      identities: sent(identities),
      attributes,
      deliveryId,
    });
  }

  /** Takes out what it is named: whoever came with more than that is still there by the rest. */
  remove({ mpid, identities }: OutputMember): void {
    this.refused.delete(mpid);
    this.lost.delete(mpid);
    const has = this.members.get(mpid);
    const named = sent(identities);
    const left = has?.identities.filter((one) => !named.includes(one)) ?? [];
    if (has && left.length > 0) this.members.set(mpid, { ...has, identities: left });
    else this.members.delete(mpid);
  }

  refuse(mpid: string, change: Change): void {
    this.refused.set(mpid, change);
    this.wasRefused = true;
  }

  lose(mpid: string): void {
    this.members.delete(mpid);
    this.lost.set(mpid, new Set());
  }

  /** Whoever is lost is the connection's to bring back, where it has them. */
  asked(connectionId: string): void {
    for (const asked of this.lost.values()) asked.add(connectionId);
  }

  tell(mpid: string, what: string): void {
    this.story.set(mpid, [...(this.story.get(mpid) ?? []), what].slice(-5));
  }

  /** Makes the parts that were written the whole of it. */
  finish(version: number, parts: number, deliveryId: string, added: Moment): number {
    const written = this.drafts.get(version);
    this.members.clear();
    this.refused.clear();
    this.lost.clear();
    for (let part = 0; part < parts; part += 1) {
      const draft = written?.get(part);
      if (!draft) return -1;
      for (const member of draft.members) this.add(member, deliveryId, added);
      for (const mpid of draft.refused) this.refuse(mpid, 'replace');
    }
    return this.members.size;
  }
}

export function sent(identities: OutputMember['identities']): SentIdentities {
  const all = Object.entries(identities).flatMap(([type, values]) =>
    (values ?? []).map((value) => `${type}=${value}`),
  );
  return all.sort();
}
