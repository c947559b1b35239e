import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { IdentityType } from '../identity-types.js';
import { type Batch, batchFrom, type BatchResult, limitsOf } from '../output.js';
import type { OutputConnector, OutputContext, OutputMember, PartnerAudience } from '../output.js';
import type { FaultKind } from '../fault.js';
import { ensure } from './contract-check.js';
import { Evidence } from './evidence.js';
import { MemoryDestination } from './memory-destination.js';
import { type FakePartner, type PartnerRequest, PartnerServer } from './partner-server.js';
import { testConnect } from './test-connect.js';
import { TestHttpClient } from './test-http-client.js';

/** Ways a partner fails in the checks. */
export type FailureName = '400' | '401' | '403' | '429' | '503' | 'timeout' | 'reset' | 'malformed';

/** What the contract tests of an output need to know. All data must be invented. */
export interface OutputFixtures<
  C extends z.ZodObject = z.ZodObject,
  K extends z.ZodObject = z.ZodObject,
  S extends z.ZodObject = z.ZodObject,
  I extends IdentityType = IdentityType,
> {
  /** Settings that reach the stand-in at `url`. */
  settings(url: string): z.input<C>;
  /** Credentials with `canary` in every secret: the checks look for it wherever it must not be. */
  credentials(canary: string): z.input<K>;
  connection: z.input<S>;
  /** A member with identities of its own for every index. */
  member(index: number): OutputMember<I>;
  /** A partner that speaks another protocol than HTTP, made anew for every check. */
  standIn?(): Promise<StandIn>;
  /** With neither this nor `standIn`, what the output writes to its destination is looked at instead. */
  http?: {
    partner(): FakePartner;
    /** Members a request carries; 0 for requests that carry none. */
    membersIn(request: PartnerRequest): number;
    /** A partner that refuses these members of every batch; absent where partners cannot. */
    partnerRejecting?(indexes: readonly number[]): FakePartner;
    /** Kinds that stand for a failure at this partner, where they are not those of faultFromStatus. */
    expected?: Partial<Record<FailureName, readonly FaultKind[]>>;
  };
}

/** A running stand-in for a partner that is not reached by HTTP. */
export interface StandIn {
  /** Given to `settings` to find it by. */
  url: string;
  /** Times something was sent to it so far. */
  sends(): number;
  /** What it now holds, in an order that does not depend on the calls. */
  state(): unknown;
  stop(): Promise<void>;
}

type RigContext = OutputContext<z.output<z.ZodObject>, z.output<z.ZodObject>, z.output<z.ZodObject>>;

/** A connector with everything around it that a check needs. */
export class OutputRig {
  readonly evidence = new Evidence();
  readonly canary = `canary-${randomUUID()}`;
  /** An attribute as it may be chosen for a connection, and its value. */
  readonly attribute = { name: 'Favourite colour', value: `colour-${randomUUID()}` };
  /** Whether members come with the attribute. */
  shares = false;
  readonly abort = new AbortController();
  readonly destination = new MemoryDestination(() => this.abort.signal);
  #audience: PartnerAudience | undefined;

  private constructor(
    readonly plugin: OutputConnector,
    readonly fixtures: OutputFixtures,
    readonly server: PartnerServer | undefined,
    private readonly partner: FakePartner | undefined,
    private readonly standIn: StandIn | undefined,
    private readonly timeoutMs: number,
  ) {}

  /** Runs `use` with a fresh rig and takes it down afterwards. */
  static async with(
    plugin: OutputConnector,
    fixtures: OutputFixtures,
    use: (rig: OutputRig) => Promise<void>,
    options: { partner?: FakePartner; timeoutMs?: number } = {},
  ): Promise<void> {
    const partner = options.partner ?? fixtures.http?.partner();
    const server = partner ? await PartnerServer.start(partner) : undefined;
    const standIn = await fixtures.standIn?.();
    try {
      await use(new OutputRig(plugin, fixtures, server, partner, standIn, options.timeoutMs ?? 5000));
    } finally {
      await server?.stop();
      await standIn?.stop();
    }
  }

  /** A context for questions that reach nobody. */
  static contextFor(plugin: OutputConnector, fixtures: OutputFixtures): RigContext {
    return new OutputRig(plugin, fixtures, undefined, undefined, undefined, 1).context;
  }

  get context(): RigContext {
    const { plugin, fixtures, evidence, abort } = this;
    return {
      settings: plugin.settings.parse(
        fixtures.settings(this.server?.url ?? this.standIn?.url ?? 'http://127.0.0.1:9'),
      ),
      credentials: plugin.credentials.parse(fixtures.credentials(this.canary)),
      connection: plugin.connectionSettings.parse(fixtures.connection),
      connectionId: '00000000-0000-4000-8000-000000000001',
      attributes: this.shares ? [this.attribute.name] : [],
      runId: '00000000-0000-4000-8000-000000000002',
      http: new TestHttpClient(evidence, abort.signal, this.timeoutMs),
      destination: () => this.destination,
      connect: testConnect(abort.signal),
      // A secret like the others: it must not be said either.
      ...(plugin.oauth2 ? { accessToken: () => Promise.resolve(`${this.canary}-access`) } : {}),
      log: evidence.log,
      signal: abort.signal,
      now: () => new Date(),
    };
  }

  get batchSize(): number {
    return limitsOf(this.plugin, this.context.settings).batchSize;
  }

  /** Times something was sent or written so far. */
  get sends(): number {
    return (this.server?.requests.length ?? 0) + (this.standIn?.sends() ?? 0) + this.destination.writes;
  }

  get state(): unknown {
    return (this.partner ?? this.standIn)?.state() ?? this.destination.texts();
  }

  batch(size: number, id = 'batch-1'): Batch {
    const { name, value } = this.attribute;
    const own = this.shares ? { attributes: { [name]: value } } : {};
    const members = Array.from({ length: size }, (_, index) => ({ ...this.fixtures.member(index), ...own }));
    return batchFrom({ id, members, fromVersion: 0, toVersion: 1 });
  }

  /** The audience at the partner, made at the first call. */
  async audience(): Promise<PartnerAudience> {
    const name = 'Contract test';
    this.#audience ??= {
      name,
      externalId: (await this.plugin.audience.create?.(this.context, { name }))?.externalId ?? name,
    };
    return this.#audience;
  }

  /** Brings `batch` to the partner in the way the connection wants it, and waits for the partner's job. */
  async add(batch: Batch): Promise<BatchResult & { status: 'done' }> {
    const audience = await this.audience();
    const { replace } = this.plugin.audience;
    if (!replace?.wanted(this.context))
      return this.#settled(await this.plugin.audience.add(this.context, audience, batch));
    const rejected = (await replace.write(this.context, audience, batch, 0)) ?? [];
    const whole = { toVersion: batch.toVersion, parts: 1, members: batch.members.length };
    await replace.finish(this.context, audience, whole);
    return { status: 'done', rejected };
  }

  async remove(batch: Batch): Promise<BatchResult & { status: 'done' }> {
    const result = await this.plugin.audience.remove?.(this.context, await this.audience(), batch);
    ensure(result !== undefined, 'The output has no remove.');
    return this.#settled(result);
  }

  /** Every call the connector has, in an order that makes sense to the partner. */
  get calls(): { name: string; call: () => Promise<unknown> }[] {
    const { audience } = this.plugin;
    const takesWhole = audience.replace?.wanted(this.context) ?? false;
    const declared: Record<string, (() => Promise<unknown>) | undefined> = {
      check: () => this.plugin.check(this.context),
      create: audience.create && (async () => audience.create?.(this.context, { name: 'Another' })),
      rename:
        audience.rename &&
        (async () => audience.rename?.(this.context, { ...(await this.audience()), name: 'Renamed' })),
      add: () => this.add(this.batch(3)),
      remove: audience.remove && !takesWhole ? () => this.remove(this.batch(3, 'batch-2')) : undefined,
      delivered:
        audience.delivered && (async () => audience.delivered?.(this.context, await this.audience())),
      count: audience.count && (async () => audience.count?.(this.context, await this.audience())),
      delete: audience.delete && (async () => audience.delete?.(this.context, await this.audience())),
    };
    return Object.entries(declared).flatMap(([name, call]) => (call ? [{ name, call }] : []));
  }

  /** The error of `call`, noted as evidence; undefined where it succeeds. */
  async errorOf(call: () => Promise<unknown>): Promise<unknown> {
    try {
      await call();
      return undefined;
    } catch (error) {
      this.evidence.noteError(error);
      return error;
    }
  }

  async #settled(first: BatchResult): Promise<BatchResult & { status: 'done' }> {
    let result: BatchResult | undefined = first;
    for (let polls = 0; result.status === 'pending'; polls += 1) {
      ensure(polls < 100, 'A job was still pending after 100 polls of the stand-in.');
      result = await this.plugin.audience.poll?.(this.context, result.jobId);
      ensure(result !== undefined, 'A batch was answered with "pending", but the output has no poll.');
    }
    if (result.status === 'again') throw result.because;
    return result;
  }
}
