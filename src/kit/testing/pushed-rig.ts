import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import type { Context } from '../connector.js';
import type { PushedFile, PushedInput, WebhookHead, WebhookRequest, WebhookTrigger } from '../input.js';
import { ensure } from './contract-check.js';
import { Evidence } from './evidence.js';
import { MemoryDestination } from './memory-destination.js';
import { testConnect } from './test-connect.js';
import { TestHttpClient } from './test-http-client.js';

/** Proof of a sender, as the partner makes it. */
export type Prove<K extends z.ZodObject> = (
  credentials: z.input<K>,
  body: Uint8Array,
  at: Date,
) => Readonly<Record<string, string>>;

/** What a request holds beside its head. */
export type PushedParts = Partial<Pick<WebhookRequest, 'query' | 'fields' | 'content' | 'fileName'>>;

/** What is to be known of a webhook. All data must be invented. */
export interface WebhookFixtures<K extends z.ZodObject = z.ZodObject> {
  /** Headers of a request that is signed; absent where the webhook knows no signatures. */
  sign?: Prove<K>;
  /** Headers of a request with a secret in them; absent where the webhook knows none. */
  bearer?: Prove<K>;
  /** A request with a file for the audience `name`. */
  requestOf(name: string): PushedParts;
  /** Requests of which nothing can become. */
  refused: readonly { title: string; request: PushedParts }[];
}

/** What the contract tests of an input need to know whose files are sent to the hub. */
export interface PushedFixtures<C extends z.ZodObject = z.ZodObject, K extends z.ZodObject = z.ZodObject> {
  settings: z.input<C>;
  /** Credentials with `canary` in every secret; another canary makes other secrets. */
  credentials(canary: string): z.input<K>;
  /** For the trigger `webhook`. */
  webhook?: WebhookFixtures<K>;
}

type Trigger = WebhookTrigger<z.output<z.ZodObject>, z.output<z.ZodObject>>;

/** An input of pushed files with everything else that a check needs. */
export class PushedRig {
  readonly evidence = new Evidence();
  readonly canary = `canary-${randomUUID()}`;
  readonly now = new Date();

  constructor(
    readonly plugin: PushedInput,
    readonly fixtures: PushedFixtures,
  ) {}

  get trigger(): Trigger {
    const { trigger } = this.plugin;
    ensure(trigger.type === 'webhook', 'The input is no webhook.');
    return trigger;
  }

  get webhook(): WebhookFixtures {
    const { webhook } = this.fixtures;
    ensure(webhook !== undefined, 'The trigger is a webhook: give fixtures.webhook.');
    return webhook;
  }

  context(): Context<z.output<z.ZodObject>, z.output<z.ZodObject>> {
    const { signal } = new AbortController();
    return {
      settings: this.plugin.settings.parse(this.fixtures.settings),
      credentials: this.plugin.credentials.parse(this.fixtures.credentials(this.canary)),
      http: new TestHttpClient(this.evidence, signal, 5000),
      destination: () => new MemoryDestination(),
      connect: testConnect(signal),
      log: this.evidence.log,
      signal,
      now: () => this.now,
    };
  }

  /** The headers of a sender who knows the secrets, or others, at a moment. */
  headersOf(prove: Prove<z.ZodObject>, body: Uint8Array, canary = this.canary, at = this.now): WebhookHead {
    return { headers: prove(this.fixtures.credentials(canary), body, at), query: {} };
  }

  /** Authenticates and verifies a body that comes in chunks of so many bytes; returns the request's id. */
  async verify(head: WebhookHead, body: Uint8Array, chunkBytes = body.length): Promise<string | undefined> {
    const { verifier, requestId } = await this.trigger.authenticate(this.context(), head);
    for (let start = 0; start < body.length; start += chunkBytes) {
      verifier?.update(body.subarray(start, start + chunkBytes));
    }
    verifier?.end();
    return requestId;
  }

  async receive(parts: PushedParts): Promise<PushedFile> {
    const request: WebhookRequest = { headers: {}, query: {}, fields: {}, content: 'file', ...parts };
    const file = await this.trigger.receive(this.context(), request);
    this.evidence.note('what becomes of a file', JSON.stringify(file));
    return file;
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
}
