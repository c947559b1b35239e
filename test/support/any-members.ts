import fc from 'fast-check';
import type { OutputMember } from '../../src/kit/index.js';

const anyValue = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 9 }),
  fc.string({ minLength: 120, maxLength: 300 }),
  fc.constantFrom(
    '',
    '"',
    '\\',
    '\n',
    '\0',
    '\u001f',
    '\u007f',
    '\u2028',
    '\uFEFFa',
    'é漢👩‍👩‍👧',
    '"]}},{"mpid":"1',
  ),
);
const anyMpid = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -20n, max: 20n }),
  fc.constantFrom(
    -(2n ** 63n),
    2n ** 63n - 1n,
    2n ** 32n,
    -(2n ** 32n),
    10n ** 9n,
    10n ** 18n,
    -(10n ** 9n),
    0n,
  ),
);
/** Values as the engine has them: ascending by their bytes, none twice. */
const anyValues = fc
  .uniqueArray(anyValue, { minLength: 1, maxLength: 3 })
  .map((values) => values.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))));
const anyIdentities = fc.record(
  { email: anyValues, phone: anyValues, customer_id: anyValues },
  { requiredKeys: [] },
);
/** Ascending by mpid, with values of every kind; some without any. */
export const anyMembers = fc
  .uniqueArray(fc.tuple(anyMpid, anyIdentities, fc.option(anyValue)), {
    selector: ([mpid]) => mpid,
    maxLength: 12,
  })
  .map((all) =>
    all
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([mpid, identities, party]): OutputMember => {
        const attributes = party === null ? {} : { attributes: { Party: party } };
        return { mpid: String(mpid), ...attributes, identities };
      }),
  );

const hasIdentities = ({ identities }: OutputMember) => Object.keys(identities).length > 0;
/** Those of whom something is sent: of an empty value nothing is. */
export const sentOf = (members: readonly OutputMember[]): OutputMember[] =>
  members
    .map((member) => {
      const filled = Object.entries(member.identities).map(([type, values]) => [
        type,
        values.filter((value) => value !== ''),
      ]);
      return { ...member, identities: Object.fromEntries(filled.filter(([, values]) => values?.length)) };
    })
    .filter(hasIdentities);
