/** Stands between digests of one value, as between the parts of a combination. */
const BETWEEN_DIGESTS = '|';

/** The hexadecimal digits of digests that stand from `from` up to `to`, of `size` bytes each. */
export function digestsText(source: Buffer, from: number, to: number, size: number): string {
  const digests: string[] = [];
  for (let at = from; at < to; at += size) digests.push(source.toString('hex', at, at + size));
  return digests.join(BETWEEN_DIGESTS);
}
