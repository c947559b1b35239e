import type { z } from 'zod';
import type { ConnectorBase, Context } from './connector.js';
import type { IdentityEncoding, IdentityType } from './identity-types.js';

/** An identity an output accepts, and the form it wants it in. */
export interface IdentityForm<I extends IdentityType = IdentityType> {
  type: I;
  encoding: IdentityEncoding;
}

/**
 * One profile as an output sees it: its mpid and the declared identities, nothing else. A person with two
 * e-mail addresses has two values. Types the output did not declare are absent, at run time and by type.
 */
export interface OutputMember<I extends IdentityType = IdentityType> {
  mpid: string;
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
  members: readonly OutputMember<I>[];
  /** Versions of the audience this batch belongs to: from the delivered one to the new one. */
  fromVersion: number;
  toVersion: number;
}

/** A member the partner refused. `index` points into `batch.members`. */
export interface RejectedMember {
  index: number;
  code: string;
  message: string;
}

export type BatchResult =
  | { status: 'done'; rejected: readonly RejectedMember[] }
  | { status: 'pending'; jobId: string; pollAfterMs: number };

/** How much of an output may be used. The host chunks and paces to it. */
export interface OutputLimits {
  /** Members a call. */
  batchSize: number;
  /** Bytes of a batch's identity values a call. */
  batchBytes?: number;
  rateLimit?: { requests: number; perSeconds: number };
  /** Calls under way at once for one connection. Default 1. */
  concurrency?: number;
}

/** Names a partner accepts for an audience; linted before the partner sees it. */
export interface NameRule {
  maxLength: number;
  /** Source of a regular expression that a character must match to be refused. */
  forbidden?: string;
}

/** Everything a batch call needs besides the batch. `S` is the connection's own settings. */
export interface OutputContext<C, K, S> extends Context<C, K> {
  connectionId: string;
  connection: S;
}

/** What a partner can do with an audience. Capabilities are declared by implementing them. */
export interface AudienceCalls<C, K, S, I extends IdentityType> {
  /** Makes the audience at the partner; called once, when the connection is first activated. */
  create?(ctx: OutputContext<C, K, S>, audience: { name: string }): Promise<{ externalId: string }>;
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
    ): Promise<void>;
    finish(
      ctx: OutputContext<C, K, S>,
      audience: PartnerAudience,
      whole: { toVersion: number; parts: number; members: number },
    ): Promise<void>;
    /** True where this connection takes whole states. */
    wanted(ctx: OutputContext<C, K, S>): boolean;
  };
  poll?(ctx: OutputContext<C, K, S>, jobId: string): Promise<BatchResult>;
  /** Deletes the audience at the partner. */
  delete?(ctx: OutputContext<C, K, S>, audience: PartnerAudience): Promise<void>;
  /** Members the partner says it has. */
  count?(ctx: OutputContext<C, K, S>, audience: PartnerAudience): Promise<number>;
}

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
  limits: OutputLimits;
  /** Limits under these settings, where settings may narrow {@link limits}. See {@link limitsOf}. */
  limitsFor?(settings: z.output<C>): OutputLimits;
  naming?: NameRule;
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
