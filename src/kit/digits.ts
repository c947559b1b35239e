const TEN_THOUSAND = 1e4;

/** The four digits of each number below 10,000, as they stand in a text. */
export const FOUR_DIGITS = Int32Array.from({ length: TEN_THOUSAND }, (_, number) =>
  Buffer.from(String(number).padStart(4, '0')).readInt32LE(),
);

/** The two hexadecimal digits of each byte. A table of two bytes' digits would not stay in the processor's first cache. */
export const HEX_DIGITS = Int32Array.from({ length: 256 }, (_, byte) =>
  Buffer.from(Buffer.of(byte).toString('hex')).readInt16LE(),
);

/** Stands between digests of one value, as between the parts of a combination. */
export const BETWEEN_DIGESTS = '|';

/** The hexadecimal digits of digests that stand from `from` up to `to`, of `size` bytes each. */
export function digestsText(source: Buffer, from: number, to: number, size: number): string {
  const digests: string[] = [];
  for (let at = from; at < to; at += size) digests.push(source.toString('hex', at, at + size));
  return digests.join(BETWEEN_DIGESTS);
}
