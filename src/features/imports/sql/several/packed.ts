/*
 * What rows and identities are compared by, as one number (UInt256): the engine keeps the least of numbers as they are, and of
 * tuples as objects, which takes it five times as long and the memory of an import.
 */

/** Strength, then hash: of two identities, the lower one is the stronger. */
export const STRENGTH = '(bitShiftLeft(toUInt256(priority), 128) + toUInt256(hash))';

/** SQL over a {@link STRENGTH}. */
export const strengthPriority = (packed: string): string => `toUInt8(bitShiftRight(${packed}, 128))`;
export const strengthHash = (packed: string): string => `toUInt128(${packed})`;

const SIGN = 'toUInt64(9223372036854775808)';

/** The label of a row, by which one row is better than another: rank, priority, hash and mpid. */
export const LABEL = `(bitShiftLeft(toUInt256(rank), 200) + bitShiftLeft(toUInt256(priority), 192)
  + bitShiftLeft(toUInt256(hash), 64) + toUInt256(bitXor(reinterpretAsUInt64(mpid), ${SIGN})))`;

/** SQL over a {@link LABEL}. */
export const labelRank = (packed: string): string => `toUInt8(bitShiftRight(${packed}, 200))`;
export const labelPriority = (packed: string): string => `toUInt8(bitShiftRight(${packed}, 192))`;
export const labelHash = (packed: string): string => `toUInt128(bitShiftRight(${packed}, 64))`;
export const labelMpid = (packed: string): string =>
  `reinterpretAsInt64(bitXor(toUInt64(${packed}), ${SIGN}))`;
