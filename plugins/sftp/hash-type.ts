/** True for identity types whose values are hashes. */
export function isHashType(type: string): boolean {
  return /_(?:md5|sha1|sha256)$/.test(type);
}
