import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { z } from 'zod';
import type { Context } from '../connector.js';
import { type FaultKind } from '../fault.js';
import type { ScheduledInput, ListedFile, SourceFile } from '../input.js';
import { ensure } from './contract-check.js';
import { Evidence } from './evidence.js';
import { MemoryDestination } from './memory-destination.js';
import { testConnect } from './test-connect.js';
import { TestHttpClient } from './test-http-client.js';

/** A real source of the input's kind, empty at first. */
export interface TestSource<C extends z.ZodObject = z.ZodObject> {
  settings: z.input<C>;
  /** Writes `key` whole, in a way that the input may list it at once. */
  put(key: string, body: Uint8Array | string): Promise<void>;
  delete(key: string): Promise<void>;
  close(): Promise<void>;
}

/** What the contract tests of an input need to know. All data must be invented. */
export interface InputFixtures<C extends z.ZodObject = z.ZodObject, K extends z.ZodObject = z.ZodObject> {
  /** A source of its own for every check. */
  source(): Promise<TestSource<C>>;
  /** Credentials that the source takes, with `canary` in every secret. */
  credentials(canary: string): z.input<K>;
  /** A key that the input offers as the audience `name`. */
  keyOf(name: string): string;
  /** Settings that cannot work, and the kind of fault that each must become. */
  broken?: readonly { title: string; settings: z.input<C>; kind: FaultKind }[];
}

/** An input with a source and everything else that a check needs. */
export class InputRig {
  readonly evidence = new Evidence();
  readonly canary = `canary-${randomUUID()}`;
  readonly abort = new AbortController();

  private constructor(
    readonly plugin: ScheduledInput,
    readonly fixtures: InputFixtures,
    readonly source: TestSource,
  ) {}

  /** Runs `use` with a fresh source and takes it down afterwards. */
  static async with(
    plugin: ScheduledInput,
    fixtures: InputFixtures,
    use: (rig: InputRig) => Promise<void>,
  ): Promise<void> {
    const source = await fixtures.source();
    try {
      await use(new InputRig(plugin, fixtures, source));
    } finally {
      await source.close();
    }
  }

  /** The context of a call, with `settings` instead of the source's own where given. */
  contextWith(
    settings: unknown = this.source.settings,
  ): Context<z.output<z.ZodObject>, z.output<z.ZodObject>> {
    return {
      settings: this.plugin.settings.parse(settings),
      credentials: this.plugin.credentials.parse(this.fixtures.credentials(this.canary)),
      http: new TestHttpClient(this.evidence, this.abort.signal, 5000),
      destination: () => new MemoryDestination(),
      connect: testConnect(this.abort.signal),
      log: this.evidence.log,
      signal: this.abort.signal,
      now: () => new Date(),
    };
  }

  async list(): Promise<ListedFile[]> {
    const listed: ListedFile[] = [];
    for await (const file of this.plugin.trigger.list(this.contextWith())) listed.push(file);
    return listed;
  }

  /** Writes an audience and returns it as it is listed. */
  async listedAfterPut(name: string, body: Uint8Array | string): Promise<SourceFile> {
    const key = this.fixtures.keyOf(name);
    await this.source.put(key, body);
    const file = (await this.list()).find((one) => one.key === key);
    ensure(file !== undefined, `The key ${key} was written, but is not listed.`);
    ensure(!('refused' in file), `The key ${key} is listed as refused.`);
    return file;
  }

  async read(file: Pick<SourceFile, 'key' | 'revision'>): Promise<Buffer> {
    return buffer(await this.plugin.open(this.contextWith(), file));
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
