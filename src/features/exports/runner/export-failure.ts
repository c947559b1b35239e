import { StorageFullError } from '../../../platform/files/index.js';
import { CountsDifferError } from '../archive/part-writer.js';

/** Why an export cannot be made, for the person who asked for it. */
export class ExportFailure extends Error {
  override readonly name = 'ExportFailure';

  constructor(
    readonly code: 'AUDIENCE_DELETED' | 'COUNTS_DIFFER' | 'EXPORT_GONE' | 'GAVE_UP' | 'STORAGE_FULL',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The failure that `error` is; undefined for what another try may mend. */
export function failureOf(error: unknown): ExportFailure | undefined {
  if (error instanceof ExportFailure) return error;
  if (error instanceof CountsDifferError) {
    return new ExportFailure('COUNTS_DIFFER', `${error.message} Ask for a new export.`, { cause: error });
  }
  if (isStorageFull(error)) {
    return new ExportFailure(
      'STORAGE_FULL',
      'No space was left while the archive was written. Free some, then ask for a new export.',
      { cause: error },
    );
  }
  return undefined;
}

/** The file store says so by its own error, the file system by a code, the engine in words. */
function isStorageFull(error: unknown): boolean {
  if (error instanceof StorageFullError) return true;
  const { code, message = '' } = error as { code?: unknown; message?: string };
  return code === 'ENOSPC' || code === 'EDQUOT' || /no space left on device/i.test(message);
}
