import {
  ConnectorError,
  type BatchResult,
  type RejectedMember,
  type UnnamedRejects,
} from '../../kit/index.js';

/** Whom the partner refused of a batch, by their place in it, and how many it did not name. */
export interface BatchRejects {
  rejected: readonly RejectedMember[];
  unnamed: readonly UnnamedRejects[];
}

/** The rejects of a finished result, checked: a connector that points past its batch would blame the wrong person. */
export function checkedRejects(
  { rejected, unnamed = [] }: Extract<BatchResult, { status: 'done' }>,
  size: number,
  plugin: string,
): BatchRejects {
  const seen = new Set<number>();
  for (const { index } of rejected) {
    if (!Number.isInteger(index) || index < 0 || index >= size || seen.has(index)) {
      throw misfit(
        plugin,
        size,
        `named the rejected index ${index}`,
        `each index once, from 0 to ${size - 1}`,
      );
    }
    seen.add(index);
  }
  const left = size - seen.size;
  const count = unnamed.reduce((sum, one) => sum + one.count, 0);
  if (unnamed.some((one) => !Number.isInteger(one.count) || one.count < 1) || count > left) {
    throw misfit(plugin, size, `told of ${count} unnamed rejects`, `at least 1 each, and ${left} at most`);
  }
  const [reason] = unnamed;
  if (reason === undefined || unnamed.length > 1 || count < left) return { rejected, unnamed };
  // All that are left: it is known who.
  const { code, message } = reason;
  const rest = Array.from({ length: size }, (_, index) => index).filter((index) => !seen.has(index));
  return { rejected: [...rejected, ...rest.map((index) => ({ index, code, message }))], unnamed: [] };
}

function misfit(plugin: string, size: number, what: string, expected: string): ConnectorError {
  return new ConnectorError(
    'unexpected',
    'INVALID_BATCH_RESULT',
    `The plugin ${plugin} ${what} of a batch of ${size} members; expected ${expected}. This is a mistake of the ` +
      'plugin: report it.',
  );
}
