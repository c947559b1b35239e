import { Injectable } from '@nestjs/common';
import { HubError } from '../../domain/errors/index.js';
import { ContextFactory } from '../../host/context/index.js';
import { PluginRegistry, requireExpiry } from '../../host/registry/index.js';
import { ConnectorError } from '../../kit/index.js';
import { SealedSecretError, SecretBox } from '../../platform/crypto/index.js';

type Fields = Record<string, unknown>;

/** What a request says of a connector. Absent credentials: those that are stored stay. */
export interface GivenConnector {
  id: string;
  plugin: string;
  settings: Fields;
  credentials?: Fields;
}

/** Checks, seals and describes the settings and credentials of inputs and outputs. */
@Injectable()
export class ConnectorSettings {
  constructor(
    private readonly contexts: ContextFactory,
    private readonly registry: PluginRegistry,
    private readonly secretBox: SecretBox,
  ) {}

  /**
   * Holds a connector against its plugin and against what the hub may reach, and returns what to store:
   * settings as given, credentials sealed for `id` (null where the plugin wants none and none are there).
   *
   * @throws InvalidSettingsError, UnknownPluginError, or HubError ADDRESS_REFUSED or FOLDER_REFUSED.
   */
  async prepare(
    kind: 'input' | 'output',
    given: GivenConnector,
    stored: string | null = null,
  ): Promise<{ settings: Fields; credentials: string | null }> {
    const credentials = given.credentials ? this.seal(given.id, given.credentials) : stored;
    const row = { ...given, credentials };
    try {
      if (kind === 'input') await this.contexts.input(row);
      else {
        await this.contexts.output(row);
        requireExpiry(this.registry.output(given.plugin), given.settings);
      }
    } catch (error) {
      // A name that does not resolve now may do so later; the check and the first use say so.
      if (error instanceof ConnectorError && error.kind === 'retryable')
        return { settings: given.settings, credentials };
      throw asRefusal(error);
    }
    return { settings: given.settings, credentials };
  }

  /** Names of the credentials' fields, for people who look at what is there; never a value. */
  credentialFields(row: { id: string; credentials: string | null }): string[] {
    if (row.credentials === null) return [];
    try {
      return Object.keys(JSON.parse(this.secretBox.open(row.credentials, row.id)) as Fields);
    } catch (error) {
      // The row can still be shown, renamed and given new credentials.
      if (error instanceof SealedSecretError) return [];
      throw error;
    }
  }

  private seal(id: string, credentials: Fields): string | null {
    if (Object.keys(credentials).length === 0) return null;
    return this.secretBox.seal(JSON.stringify(credentials), id);
  }
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof ConnectorError)) return error;
  const code = error.code === 'FOLDER_REFUSED' ? 'FOLDER_REFUSED' : 'ADDRESS_REFUSED';
  return new HubError(code, error.message);
}
