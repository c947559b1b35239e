import { fault } from '../../src/kit/index.js';

/** The only routing key of a universe, taken apart. */
export interface UniverseName {
  accountId: string;
  segment: string;
}

/** Characters of a segment, which becomes the audience's name. */
const MAX_SEGMENT_LENGTH = 255;
const ACCOUNT_ID = /^[A-Za-z0-9-]{1,64}$/;

/**
 * Reads `[prefix]_[account id]_[segment name]`. The segment may hold underscores; the prefix in any case. Throws a
 * fault that says what was expected and does not repeat the name: it may be anything.
 */
export function parseUniverseName(text: string, prefix: string): UniverseName {
  const name = text.trim();
  const [given, accountId = '', ...rest] = name.split('_');
  const segment = rest.join('_').trim();
  if (given?.toLowerCase() !== prefix.toLowerCase()) throw malformed(`begin with ${prefix}_`, prefix);
  if (!ACCOUNT_ID.test(accountId)) throw malformed('have the account id behind the prefix', prefix);
  if (segment === '') throw malformed('have a segment name behind the account id', prefix);
  if (/\p{Cc}/u.test(segment)) throw malformed('hold no control characters', prefix);
  const { length } = Array.from(segment);
  if (length > MAX_SEGMENT_LENGTH) {
    throw malformed(`have a segment name of at most ${MAX_SEGMENT_LENGTH} characters, not ${length}`, prefix);
  }
  return { accountId, segment };
}

function malformed(what: string, prefix: string): Error {
  return fault.permanent(
    'UNIVERSE_NAME_MALFORMED',
    `The name of a universe must ${what}. Expected ${prefix}_[account id]_[segment name], for example ${prefix}_123456_CustomSegment.`,
  );
}
