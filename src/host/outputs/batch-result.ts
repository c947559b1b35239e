import { ConnectorError, type BatchResult, type RejectedMember } from '../../kit/index.js';

/** The rejects of a finished result, checked: a connector that points past its batch would blame the wrong person. */
export function checkedRejects(
  result: Extract<BatchResult, { status: 'done' }>,
  size: number,
  plugin: string,
): readonly RejectedMember[] {
  const seen = new Set<number>();
  for (const { index } of result.rejected) {
    if (!Number.isInteger(index) || index < 0 || index >= size || seen.has(index)) {
      throw new ConnectorError(
        'unexpected',
        'INVALID_BATCH_RESULT',
        `The plugin ${plugin} named the rejected index ${index} of a batch of ${size} members; expected each ` +
          `index once, from 0 to ${size - 1}. This is a mistake of the plugin: report it.`,
      );
    }
    seen.add(index);
  }
  return result.rejected;
}
