import type { z } from 'zod';
import type { ConnectorBase, Context } from './connector.js';
import type { ConnectorError } from './fault.js';
import type { Counting } from './counting.js';
import { rowsOfObjects, type RowColumn, type RowsJson, type RowsOptions } from './json-rows.js';
import { JsonText } from './json-text.js';
import type { NameRule } from './naming.js';
import type { IdentityEncoding, IdentityType } from './identity-types.js';
import type { NormalisationProfile } from './normalisation-profiles.js';

/** An identity an output accepts, and the form it wants it in. */
export interface IdentityForm<I extends IdentityType = IdentityType> {
  type: I;
  encoding: IdentityEncoding;
  /**
   * The partner's rules, applied before the encoding; without it the hub's own normalised value is encoded. Values that
   * the rules leave out (a phone without country code) are not sent. A combination such as `first_last_zip_state`
   * comes as its parts joined by `|`, each by itself in the encoding, where the partner wants that part hashed.
   */
  profile?: NormalisationProfile;
}

/**
 * One profile as an output sees it: its mpid and the declared identities, nothing else. A person with two
 * e-mail addresses has two values. Types the output did not declare are absent, at run time and by type.
 */
export interface OutputMember<I extends IdentityType = IdentityType> {
  mpid: string;
  /**
   * Attributes that the connection shares, by the names that somebody chose, as texts: those of them that the
   * profile has. Only where the output declares {@link OutputConnector.attributes}, and not of members to remove.
   */
  attributes?: Readonly<Record<string, string>>;
  identities: { readonly [T in I]?: readonly string[] };
}

/** The audience at the partner. */
export interface PartnerAudience {
  /** What `create` answered; the audience's external name where the connector has no `create`. */
  externalId: string;
  /** External name of the audience (or `[External Name] - [Variant Name]`). */
  name: string;
}

/** One call's worth of members, already within the output's limits. */
export interface Batch<I extends IdentityType = IdentityType> {
  /** Deterministic: the same batch sent twice has the same id. Send it as the idempotency key. */
  id: string;
  /** Number of members. */
  size: number;
  /** The members as objects. They are made at the first look: a batch that is only passed on costs nothing. */
  readonly members: readonly OutputMember<I>[];
  /**
   * The members as a JSON array in UTF-8, ready to be sent: what `JSON.stringify(members)` means, between the texts
   * `front` and `back` where they are given. Its memory is the hub's, like that of {@link text}.
   */
  membersJson(front?: string, back?: string): Uint8Array;
  /**
   * The members as rows of `columns`, for partners that take tables: arrays of at most `most` rows, each ready to be sent. A
   * member has a row, and another one for every further value of a column's type. No object and no string is made of
   * anybody. Between some of them others have their turn, so that a large batch does not stop the process. Its memory is
   * the hub's, like that of {@link text}.
   */
  rowsJson(columns: readonly RowColumn<I>[], options: RowsOptions): Promise<RowsJson[]>;
  /**
   * An empty text for a body. Its memory is the hub's, which writes the bodies of later batches there once the connector
   * has answered for this one without a failure: what is to be kept longer has to be copied.
   *
   * @param room bytes to be put in front of it in the end, see {@link JsonText.take}
   */
  text(room?: number): JsonText;
  /** Versions of the audience this batch belongs to: from the delivered one to the new one. */
  fromVersion: number;
  toVersion: number;
}

/** A batch of members that are objects already, for specs. */
export function batchFrom<I extends IdentityType>(batch: {
  id: string;
  members: readonly OutputMember<I>[];
  fromVersion: number;
  toVersion: number;
}): Batch<I> {
  const { members } = batch;
  return {
    ...batch,
    size: members.length,
    membersJson: (front = '', back = '') => new TextEncoder().encode(front + JSON.stringify(members) + back),
    rowsJson: async (columns, options) => rowsOfObjects(members, columns, options),
    text: (room) => new JsonText(undefined, room),
  };
}

/** A member the partner refused. `index` points into `batch.members`. */
export interface RejectedMember {
  index: number;
  code: string;
  message: string;
}

/** Members that the partner refused without saying which: how many, and why. */
export interface UnnamedRejects {
  count: number;
  code: string;
  message: string;
}

export type BatchResult =
  /** Everybody who is in neither list was accepted; together they are at most the batch. */
  | { status: 'done'; rejected: readonly RejectedMember[]; unnamed?: readonly UnnamedRejects[] }
  /**
   * The partner works on it as a job of its own. Where the next look is more than a minute away the delivery leaves its
   * worker and comes back for it; further batches are handed over meanwhile, see {@link OutputLimits.jobs}.
   */
  | { status: 'pending'; jobId: string; pollAfterMs: number }
  /**
   * Of `poll` only: the job came to nothing, and not because of its rows. It is forgotten, `because` is thrown, and the
   * batch is given to the partner anew when the delivery goes on.
   */
  | { status: 'again'; because: ConnectorError };

/** How much of an output may be used. The host chunks and paces to it. */
export interface OutputLimits {
  /** Members a call. */
  batchSize: number;
  /** Bytes of a batch's identity and attribute values a call. */
  batchBytes?: number;
  rateLimit?: { requests: number; perSeconds: number };
  /** Calls under way at once for one connection. Default 1. */
  concurrency?: number;
  /** Batches of one connection that may be with the partner as jobs, waiting for their end. Default 1. */
  jobs?: number;
  /**
   * Whether calls may begin while others are still under way, up to their first request, which then waits for its turn.
   * For connectors whose calls reach the partner by `ctx.http` alone and change nothing before: what they make ready costs
   * no time then. A call may be begun twice where its turn came late. Not used where a rate is declared. Default false.
   */
  ahead?: boolean;
}

/** Everything a batch call needs besides the batch. `S` is the connection's own settings. */
export interface OutputContext<C, K, S> extends Context<C, K> {
  connectionId: string;
  connection: S;
  /** Names of the attributes that the connection shares, in the order chosen; absent or empty: none. */
  attributes?: readonly string[];
  /** The try of a delivery that this call belongs to: whoever goes on after an interruption has another one. */
  runId: string;
}

/** What a partner can do with an audience. Capabilities are declared by implementing them. */
export interface AudienceCalls<C, K, S, I extends IdentityType> {
  /**
   * Makes the audience at the partner; called once, when the connection is first activated, and again where it was
   * deleted there (fault LIST_GONE). `key` is the same for every try of one making: send it as the idempotency key.
   * `found`: a list that was there is used, so that it is never deleted as a whole.
   */
  create?(
    ctx: OutputContext<C, K, S>,
    audience: { name: string; key?: string },
  ): Promise<{ externalId: string; found?: boolean }>;
  /** Adds members; adding the same batch twice equals adding it once. */
  add(ctx: OutputContext<C, K, S>, audience: PartnerAudience, batch: Batch<I>): Promise<BatchResult>;
  /** Removes members; absent where the partner cannot remove. */
  remove?(ctx: OutputContext<C, K, S>, audience: PartnerAudience, batch: Batch<I>): Promise<BatchResult>;
  /**
   * Takes the whole membership of `toVersion`, batch after batch, and makes it the partner's state when
   * `finish` is called. Where present and `wanted`, used instead of add/remove. Parts count from 0; both
   * calls may be repeated after a crash, `finish` also after it had succeeded.
   */
  replace?: {
    write(
      ctx: OutputContext<C, K, S>,
      audience: PartnerAudience,
      batch: Batch<I>,
      part: number,
    ): Promise<void | readonly RejectedMember[]>;
    finish(
      ctx: OutputContext<C, K, S>,
      audience: PartnerAudience,
      whole: { toVersion: number; parts: number; members: number },
    ): Promise<void>;
    /** True where this connection takes whole states. */
    wanted(ctx: OutputContext<C, K, S>): boolean;
    /**
     * True where the partner takes a state in one go only: whoever goes on after an interruption begins anew at part
     * 0, under another {@link OutputContext.runId}.
     */
    inOneGo?: boolean;
  };
  /** Gives the audience another name at the partner; may be called again with the same. Absent: it keeps its name. */
  rename?(ctx: OutputContext<C, K, S>, audience: PartnerAudience): Promise<void>;
  poll?(ctx: OutputContext<C, K, S>, jobId: string): Promise<BatchResult>;
  /**
   * Called when all of a delivery was sent, before it counts as delivered; may be called again. For what the partner
   * makes of an audience once it has members.
   */
  delivered?(ctx: OutputContext<C, K, S>, audience: PartnerAudience): Promise<void>;
  /**
   * Deletes the audience at the partner, when its connection is deleted. Only called of a list that `create` made (of
   * any, without `create`) and that no other connection sends to. May be called again: what is gone is deleted.
   */
  delete?(ctx: OutputContext<C, K, S>, audience: PartnerAudience): Promise<void>;
  /**
   * True where `delete` takes the members away with the audience. Otherwise they are removed one by one before it, where
   * there is `remove`.
   */
  deleteTakesMembers?(ctx: OutputContext<C, K, S>): boolean;
  /**
   * How many the partner says it has; see {@link OutputConnector.counting} for of what. Undefined: it tells none under
   * these settings. Throws LIST_GONE where the audience was deleted there.
   */
  count?(ctx: OutputContext<C, K, S>, audience: PartnerAudience): Promise<number | undefined>;
}

export type KnownBy = 'mpid' | 'identities';

/** An output connector. Made by {@link defineOutput}; holds no state. */
export interface OutputConnector<
  C extends z.ZodObject = z.ZodObject,
  K extends z.ZodObject = z.ZodObject,
  S extends z.ZodObject = z.ZodObject,
  I extends IdentityType = IdentityType,
> extends ConnectorBase<C, K> {
  kind: 'output';
  /** Zod schema of what is set per audience connection (list id, TTL, …). */
  connectionSettings: S;
  identities: readonly IdentityForm<I>[];
  /**
   * `optional`: members come with the attributes that somebody chose for the connection. Absent or `none`: a
   * connection that shares attributes is refused.
   */
  attributes?: 'none' | 'optional';
  /** What keeps an attribute of this name from being sent, in words; undefined where nothing does. */
  attributeProblem?(name: string, settings: z.output<C>): string | undefined;
  limits: OutputLimits;
  /** Limits under these settings, where settings may narrow {@link limits}. See {@link limitsOf}. */
  limitsFor?(settings: z.output<C>): OutputLimits;
  /** Identities under these settings, where settings may narrow {@link identities}. See {@link identitiesOf}. */
  identitiesFor?(settings: z.output<C>): readonly IdentityForm<I>[];
  naming?: NameRule;
  /** The rule under these settings, where they change {@link naming}. See {@link namingOf}. */
  namingFor?(settings: z.output<C>): NameRule | undefined;
  /** What stays at the partner after a removal, in one sentence; absent or undefined: nothing. */
  leaves?(settings: z.output<C>, connection: z.output<S>): string | undefined;
  /** The name that the partner sees, where the connection's settings may say another; that one is linted. */
  nameFor?(connection: z.output<S>, name: string): string;
  /**
   * By what the partner tells people apart under these settings: the `mpid`, unless set, or the `identities` that it is
   * sent. Two people may have one of those as it is sent; whoever leaves then keeps it there for the one who stays.
   */
  knownBy?(settings: z.output<C>): KnownBy;
  /** What {@link AudienceCalls.count} counts, where that is not exactly the members. */
  counting?: Counting;
  /**
   * After how long the partner forgets a member who is not added again, a day at least; undefined: never. The hub adds
   * everybody again about three times as often, and takes no plugin and no settings by which it is less than a day.
   */
  expireAfterMs?(settings: z.output<C>, connection: z.output<S>): number | undefined;
  audience: AudienceCalls<z.output<C>, z.output<K>, z.output<S>, I>;
}

/** Declares an output connector; types of settings, credentials and identities are inferred. */
export function defineOutput<
  C extends z.ZodObject,
  K extends z.ZodObject,
  S extends z.ZodObject,
  I extends IdentityType,
>(definition: Omit<OutputConnector<C, K, S, I>, 'kind'>): OutputConnector<C, K, S, I> {
  return Object.freeze({ ...definition, kind: 'output' as const });
}

/** The limits that hold for a connector with these settings: what the host chunks and paces to. */
export function limitsOf<C extends z.ZodObject>(
  connector: Pick<OutputConnector<C>, 'limits' | 'limitsFor'>,
  settings: z.output<C>,
): OutputLimits {
  return connector.limitsFor?.(settings) ?? connector.limits;
}

/** The identities that a connector takes with these settings: members without any of them are skipped. */
export function identitiesOf<C extends z.ZodObject>(
  connector: Pick<OutputConnector<C>, 'identities' | 'identitiesFor'>,
  settings: z.output<C>,
): readonly IdentityForm[] {
  return connector.identitiesFor?.(settings) ?? connector.identities;
}

/** By what a connector's partner tells people apart with these settings. */
export function knownBy<C extends z.ZodObject>(
  connector: Pick<OutputConnector<C>, 'knownBy'>,
  settings: z.output<C>,
): KnownBy {
  return connector.knownBy?.(settings) ?? 'mpid';
}
