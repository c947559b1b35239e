import type { Context, ListedFile, ScheduledInput } from '../../../kit/index.js';

/** Settings or credentials; only the plugin knows more of them. */
type Fields = Record<string, unknown>;

/**
 * Everything that the input has, beginning behind `cursor` and going round: so a source whose listing is cut off
 * again and again is seen as a whole in the end, and a scan that ends has seen every key.
 */
export async function* aroundFrom(
  { trigger }: ScheduledInput,
  ctx: Context<Fields, Fields>,
  cursor: string | null,
): AsyncGenerator<ListedFile> {
  if (cursor === null || trigger.listAfter === undefined) {
    yield* trigger.list(ctx);
    return;
  }
  yield* trigger.listAfter(ctx, cursor);
  for await (const file of trigger.list(ctx)) {
    if (isBehind(file.key, cursor)) return;
    yield file;
  }
}

/** Sources with a cursor list keys in the order of their bytes, which is not that of JavaScript. */
function isBehind(key: string, cursor: string): boolean {
  return Buffer.compare(Buffer.from(key), Buffer.from(cursor)) > 0;
}
