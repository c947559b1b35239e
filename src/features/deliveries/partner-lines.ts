import { Injectable } from '@nestjs/common';
import { ContextFactory } from '../../host/context/index.js';
import { RateBudgets, type PartnerLine } from '../../host/outputs/index.js';
import { InvalidSettingsError, UnknownPluginError } from '../../host/registry/index.js';
import { fault, limitsOf } from '../../kit/index.js';
import { SealedSecretError } from '../../platform/crypto/index.js';
import type { DeliveryOrder } from './delivery-rows.js';

/** Opens the way to a connection's partner. */
@Injectable()
export class PartnerLines {
  constructor(
    private readonly contexts: ContextFactory,
    private readonly budgets: RateBudgets,
  ) {}

  /**
   * The line of a connection as it is configured now.
   *
   * @throws ConnectorError `config` PLUGIN_UNKNOWN, SETTINGS_INVALID, SECRET_SEALED and those of the context
   */
  async open({ connection, output }: Pick<DeliveryOrder, 'connection' | 'output'>): Promise<PartnerLine> {
    try {
      const ready = await this.contexts.output(output);
      const limits = limitsOf(ready.plugin, ready.settings);
      return {
        connectionId: connection.id,
        connector: ready.plugin,
        limits,
        budget: this.budgets.of(ready.account, limits.rateLimit),
        context: ready.connection({
          id: connection.id,
          settings: connection.settings,
          attributes: connection.attributes,
        }),
        written: () => ready.written(),
        secrets: ready.secrets,
      };
    } catch (error) {
      throw asConfigFault(error);
    }
  }
}

function asConfigFault(error: unknown): unknown {
  if (error instanceof UnknownPluginError) return fault.config('PLUGIN_UNKNOWN', error.message);
  if (error instanceof InvalidSettingsError) return fault.config('SETTINGS_INVALID', error.message);
  if (error instanceof SealedSecretError) return fault.config('SECRET_SEALED', error.message);
  return error;
}
