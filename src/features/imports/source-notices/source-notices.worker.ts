import { Injectable, type OnModuleInit } from '@nestjs/common';
import { and, eq, inArray } from 'drizzle-orm';
import { ContextFactory, type ReadyInput } from '../../../host/context/index.js';
import { PluginRegistry } from '../../../host/registry/index.js';
import { isConnectorError, isScheduled, type Notice, type Notices } from '../../../kit/index.js';
import { inputs, type Database } from '../../../platform/database/index.js';
import type { Config } from '../../../platform/env/index.js';
import { Leases } from '../../../platform/lease/index.js';
import type { Logger } from '../../../platform/log/index.js';
import { InjectConfig, InjectDatabase, InjectLogger, InjectWorkQueue } from '../../../platform/nest/index.js';
import type { WorkQueue } from '../../../platform/queue/index.js';
import { ScheduleService } from '../../schedule/index.js';
import { ScanService } from '../scan/scan.service.js';

type Input = typeof inputs.$inferSelect;
type Fields = Record<string, unknown>;

const ONE_MINUTE_MS = 60_000;
/** One turn of listening to a queue; the next minute's hint begins the next one. */
const TURN_MS = 58_000;
/** As long as a queue lets a request wait. */
const WAIT_MS = 20_000;
/** Queues that one process listens to at once; the others have their turn after it. */
const AT_ONCE = 8;

/** Listens to the queues in which sources tell of changed keys: for each input in one process at a time. */
@Injectable()
export class SourceNoticesWorker implements OnModuleInit {
  private readonly log: Logger;

  constructor(
    @InjectDatabase() private readonly db: Database,
    @InjectWorkQueue() private readonly queue: WorkQueue,
    @InjectConfig() private readonly config: Config,
    @InjectLogger() log: Logger,
    private readonly leases: Leases,
    private readonly contexts: ContextFactory,
    private readonly plugins: PluginRegistry,
    private readonly scans: ScanService,
    private readonly schedule: ScheduleService,
  ) {
    this.log = log.child({ context: 'source-notices' });
  }

  onModuleInit(): void {
    if (this.config.roles.has('worker')) {
      this.queue.process('source-notices', AT_ONCE, (id, signal) => this.listen(id, signal));
    }
    this.schedule.register('source-notices', ONE_MINUTE_MS, () => this.listenAll());
  }

  /** Asks workers to listen for every enabled input whose source has a queue. */
  async listenAll(): Promise<void> {
    const telling = this.plugins.all().filter((plugin) => noticesOf(plugin) !== undefined);
    const ids = telling.map(({ id }) => id);
    const rows = await this.db
      .select()
      .from(inputs)
      .where(and(eq(inputs.enabled, true), inArray(inputs.plugin, ids)));
    for (const { id, plugin, settings } of rows) {
      const isOn = noticesOf(this.plugins.input(plugin))?.isOn(settings) ?? false;
      if (isOn) await this.queue.enqueue({ kind: 'source-notices', id });
    }
  }

  /** One turn at the input's queue; nothing where another process listens. */
  async listen(inputId: string, signal: AbortSignal, turnMs = TURN_MS): Promise<void> {
    await this.leases.unlessHeld(`source-notices:${inputId}`, signal, async ({ signal: held }) => {
      const untilMs = performance.now() + turnMs;
      try {
        while (performance.now() < untilMs && !held.aborted) {
          if (!(await this.takeSome(inputId, held))) return;
        }
      } catch (error) {
        if (held.aborted) return;
        const { code } = error as { code?: string };
        this.log.warn({ inputId, code: code ?? 'UNEXPECTED' }, 'the queue of the input could not be read');
      }
    });
  }

  /** Waits for messages and acts on them; false where the input has no queue any more. */
  private async takeSome(inputId: string, signal: AbortSignal): Promise<boolean> {
    const [input] = await this.db.select().from(inputs).where(eq(inputs.id, inputId));
    if (!input?.enabled) return false;
    const ready = await this.contexts.input(input);
    const notices = noticesOf(ready.plugin);
    if (!notices?.isOn(ready.settings)) return false;
    try {
      await this.act(input, ready, notices, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = isConnectorError(error) ? error : ready.failure(error);
      await this.scans.noteError(input, { code: failure.code, message: failure.message });
      throw failure;
    }
    return true;
  }

  private async act(input: Input, ready: ReadyInput, notices: Notices<Fields, Fields>, signal: AbortSignal) {
    const ctx = ready.context(signal);
    const told = await notices.receive(ctx, WAIT_MS);
    const readable = told.filter((notice) => notice.keys !== undefined);
    const keys = [...new Set(readable.flatMap((notice) => notice.keys ?? []))];
    await this.scans.scanKeys(input, keys, signal);
    // Only now: a process that dies before has the messages told again, and the same revision is taken once.
    if (readable.length > 0) await notices.done(ctx, readable);
    await this.noteUnreadable(input, told);
  }

  private async noteUnreadable(input: Input, told: readonly Notice[]): Promise<void> {
    const unreadable = told.filter((notice) => notice.keys === undefined).length;
    if (unreadable === 0) return;
    this.log.warn({ inputId: input.id, unreadable }, 'messages in the queue of the input cannot be read');
    await this.scans.noteError(input, {
      code: 'NOTICE_UNREADABLE',
      message: `${unreadable} messages in the queue of this input are no event notifications of its bucket. They were left there: look at them, and give the queue a dead-letter queue.`,
    });
  }
}

/** How a plugin is told of keys; undefined where it is not. */
export function noticesOf(
  plugin: ReturnType<PluginRegistry['all']>[number],
): Notices<Fields, Fields> | undefined {
  return plugin.kind === 'input' && isScheduled(plugin) ? plugin.trigger.notices : undefined;
}
