import { HubError } from '../../../domain/errors/index.js';

/** The answer to a scan of an input whose files are sent to the hub. */
export function notScheduled(plugin: string): HubError {
  return new HubError(
    'WRONG_STATE',
    `An input of the plugin ${plugin} is not scanned: its files are sent to the hub. Send the file again.`,
  );
}
