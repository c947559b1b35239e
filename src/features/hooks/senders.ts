import { Injectable } from '@nestjs/common';
import { and, asc, eq, inArray } from 'drizzle-orm';
import { HubError } from '../../domain/errors/index.js';
import { ContextFactory, type ReadyInput } from '../../host/context/index.js';
import { PluginRegistry } from '../../host/registry/index.js';
import type { WebhookHead, WebhookIdentity, WebhookTrigger } from '../../kit/index.js';
import { inputs, type Database } from '../../platform/database/index.js';
import type { Logger } from '../../platform/log/index.js';
import { InjectDatabase, InjectLogger } from '../../platform/nest/index.js';

export type Trigger = WebhookTrigger<Record<string, unknown>, Record<string, unknown>>;

/** An input whose sender this may be; its verifier has the last word. */
export interface Sender {
  input: typeof inputs.$inferSelect;
  ready: ReadyInput;
  trigger: Trigger;
  identity: WebhookIdentity;
}

/** Bodies are held against so many secrets at once; beyond, the request has to name its input. */
const MAX_SENDERS = 16;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Finds whose request it may be: the inputs of the webhook whose secrets fit its head. */
@Injectable()
export class Senders {
  private readonly log: Logger;

  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly plugins: PluginRegistry,
    private readonly contexts: ContextFactory,
    @InjectLogger() log: Logger,
  ) {
    this.log = log.child({ context: 'hooks' });
  }

  /** One that its head proves stands alone. Throws UNAUTHENTICATED where there is none. */
  async of(path: string, head: WebhookHead, signal: AbortSignal): Promise<Sender[]> {
    const found: Sender[] = [];
    let reason: Error | undefined;
    for (const input of await this.inputsOf(path, head.query.input)) {
      try {
        const ready = await this.contexts.input(input);
        const { trigger } = ready.plugin;
        if (trigger.type !== 'webhook') continue;
        const identity = await trigger.authenticate(ready.context(signal), head);
        const sender = { input, ready, trigger, identity };
        if (identity.verifier === undefined) return [sender];
        found.push(sender);
      } catch (error) {
        reason ??= error instanceof Error ? error : undefined;
      }
    }
    if (found.length > MAX_SENDERS) throw tooMany();
    if (found.length === 0) throw this.unknown(path, reason);
    return found;
  }

  /** The one of them whose secret the whole body was signed with. */
  verified(path: string, senders: readonly Sender[]): Sender {
    let reason: Error | undefined;
    for (const sender of senders) {
      try {
        sender.identity.verifier?.end();
        return sender;
      } catch (error) {
        reason ??= error instanceof Error ? error : undefined;
      }
    }
    throw this.unknown(path, reason);
  }

  private async inputsOf(path: string, named: string | undefined) {
    const plugins = this.plugins
      .all()
      .filter((it) => it.kind === 'input' && it.trigger.type === 'webhook' && it.trigger.path === path)
      .map(({ id }) => id);
    if (plugins.length === 0 || (named !== undefined && !UUID.test(named))) return [];
    const one = named === undefined ? undefined : eq(inputs.id, named);
    return this.db
      .select()
      .from(inputs)
      .where(and(inArray(inputs.plugin, plugins), eq(inputs.enabled, true), one))
      .orderBy(asc(inputs.createdAt));
  }

  private unknown(path: string, reason: Error | undefined): HubError {
    const { code } = (reason ?? {}) as { code?: string };
    this.log.warn({ path, code: code ?? 'NO_INPUT' }, 'a webhook refused a request');
    const message = reason?.message ?? 'No input takes requests at this address.';
    return new HubError('UNAUTHENTICATED', code === undefined ? message : `${message} (${code})`);
  }
}

function tooMany(): HubError {
  return new HubError(
    'UNAUTHENTICATED',
    `More than ${MAX_SENDERS} inputs may be meant. Name the one: ?input=<id of the input>.`,
  );
}
