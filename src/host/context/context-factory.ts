import { randomUUID } from 'node:crypto';
import type {
  AnyConnector,
  ConnectorError,
  ConnectorLog,
  Context,
  InputConnector,
  OutputConnector,
  OutputContext,
} from '../../kit/index.js';
import type { Clock } from '../../platform/clock/index.js';
import type { SecretBox } from '../../platform/crypto/index.js';
import type { Destinations } from '../../platform/files/index.js';
import { egressSocket, type EgressClient } from '../../platform/http/index.js';
import type { Logger } from '../../platform/log/index.js';
import type { AccessTokens } from '../oauth2/index.js';
import { asConnectorError, redact } from '../outputs/index.js';
import {
  parseConnectionSettings,
  parseCredentials,
  parseSettings,
  type PluginRegistry,
} from '../registry/index.js';
import { assertWithinReach, type Reach } from './reach.js';

/** Settings or credentials as the plugin's schema gives them; only the plugin knows more of them. */
type Fields = Record<string, unknown>;

/** What is stored of an input or an output. `credentials` is a SecretBox envelope bound to `id`. */
export interface ConfiguredConnector {
  id: string;
  plugin: string;
  settings: Fields;
  credentials: string | null;
}

/** What all contexts stand on. */
export interface ContextParts {
  registry: PluginRegistry;
  http: EgressClient;
  destinations: Destinations;
  secretBox: SecretBox;
  reach: Reach;
  clock: Clock;
  log: Logger;
  /** Access tokens of outputs that use OAuth2. */
  tokens: AccessTokens;
}

/** An input, ready to be called. */
export interface ReadyInput {
  plugin: InputConnector;
  settings: Fields;
  /** The context of one call; `signal` ends the call and its requests. */
  context(signal: AbortSignal): Context<Fields, Fields>;
  /** Secret values, to be taken out of messages. */
  secrets: readonly string[];
  /** What escaped from a call of this connector, fit to be stored and shown. */
  failure(thrown: unknown): ConnectorError;
}

/** An output, ready to be called. */
export interface ReadyOutput {
  plugin: OutputConnector;
  settings: Fields;
  context(signal: AbortSignal): Context<Fields, Fields>;
  /** The context of a call for one connection; `settings` as stored. Throws InvalidSettingsError. */
  connection(connection: {
    id: string;
    settings: Fields;
    /** Names of the attributes that it shares. */
    attributes?: readonly string[];
  }): (signal: AbortSignal) => OutputContext<Fields, Fields, Fields>;
  secrets: readonly string[];
  failure(thrown: unknown): ConnectorError;
  /** Resolves once all requests made so far have left this process, or are over. */
  written(): Promise<void>;
  /** Fingerprint of the partner account: the same for outputs of one plugin with the same credentials and hosts. */
  account: string;
}

/**
 * Makes the contexts that connectors are called with: settings parsed, credentials opened, the way out
 * guarded, secrets kept out of the log.
 *
 * Both calls throw UnknownPluginError, InvalidSettingsError, SealedSecretError, and the ConnectorErrors of
 * {@link assertWithinReach}.
 */
export class ContextFactory {
  constructor(private readonly parts: ContextParts) {}

  async input(row: ConfiguredConnector): Promise<ReadyInput> {
    const plugin = this.parts.registry.input(row.plugin);
    return { plugin, ...(await this.ready(plugin, row)) };
  }

  async output(row: ConfiguredConnector): Promise<ReadyOutput> {
    const plugin = this.parts.registry.output(row.plugin);
    const ready = await this.ready(plugin, row);
    return {
      plugin,
      ...ready,
      account: this.accountOf(row, ready.settings),
      connection: ({ id, settings, attributes = [] }) => {
        const connection = parseConnectionSettings(plugin, settings);
        const runId = randomUUID();
        return (signal) => ({ ...ready.context(signal), connectionId: id, connection, attributes, runId });
      },
    };
  }

  private async ready(plugin: AnyConnector, row: ConfiguredConnector) {
    const settings: Fields = parseSettings(plugin, row.settings);
    const credentials: Fields = parseCredentials(plugin, this.credentialsOf(row));
    await assertWithinReach(plugin, settings, this.parts.reach);
    const secrets = Object.values(credentials).filter((value): value is string => typeof value === 'string');
    const log = this.logOf(row, secrets);
    const { http, destinations, clock } = this.parts;
    const accessToken = this.tokenSource(plugin, row, { settings, credentials, secrets });
    const sending = http.sending();
    const context = (signal: AbortSignal): Context<Fields, Fields> => ({
      settings,
      credentials,
      http: http.bound(signal, sending),
      destination: (url, options) => destinations.open(url, options, signal),
      connect: (target) => egressSocket(this.parts.reach.guard, target, signal),
      lookup: this.parts.reach.guard.lookup,
      ...(accessToken ? { accessToken: (refused?: string) => accessToken(signal, refused) } : {}),
      log,
      signal,
      now: () => clock.now(),
    });
    const failure = (thrown: unknown) => asConnectorError(thrown, plugin.id, secrets);
    return { settings, context, secrets, failure, written: () => sending.written() };
  }

  /** Gets access tokens for an output with OAuth2; each of them is a secret from then on. */
  private tokenSource(
    plugin: AnyConnector,
    row: ConfiguredConnector,
    { settings, credentials, secrets }: { settings: Fields; credentials: Fields; secrets: string[] },
  ): ((signal: AbortSignal, refused?: string) => Promise<string>) | undefined {
    if (plugin.kind !== 'output' || plugin.oauth2 === undefined) return undefined;
    return async (signal, refused) => {
      const grant = plugin.oauth2?.(settings, credentials);
      if (!grant) throw new Error('The connector says no longer how tokens are asked for.');
      const http = this.parts.http.bound(signal);
      const token = await this.parts.tokens.get({ outputId: row.id, grant, http, signal, refused });
      if (!secrets.includes(token)) secrets.push(token);
      return token;
    };
  }

  /** What has no credentials is an account of its own. */
  private accountOf(row: ConfiguredConnector, settings: Fields): string {
    const credentials = this.credentialsOf(row);
    const named = Object.entries(credentials).sort(([one], [other]) => (one < other ? -1 : 1));
    if (named.length === 0) return row.id;
    const hosts = Object.values(settings).flatMap((value) =>
      typeof value === 'string' && URL.canParse(value) ? [new URL(value).host] : [],
    );
    return this.parts.secretBox.fingerprint(JSON.stringify([row.plugin, named, hosts.sort()]));
  }

  private credentialsOf({ id, credentials }: ConfiguredConnector): Fields {
    return credentials === null ? {} : (JSON.parse(this.parts.secretBox.open(credentials, id)) as Fields);
  }

  private logOf({ id, plugin }: ConfiguredConnector, secrets: readonly string[]): ConnectorLog {
    const log = this.parts.log.child({ context: plugin, connectorId: id });
    const safe = (fields: Record<string, string | number | boolean> = {}) =>
      Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [
          name,
          typeof value === 'string' ? redact(value, secrets) : value,
        ]),
      );
    return {
      info: (message, fields) => log.info(safe(fields), redact(message, secrets)),
      warn: (message, fields) => log.warn(safe(fields), redact(message, secrets)),
    };
  }
}
