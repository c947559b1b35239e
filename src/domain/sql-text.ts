/** `text` as a ClickHouse string literal. */
export function sqlString(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

/** `texts` as a ClickHouse array of string literals. */
export function sqlStrings(texts: readonly string[]): string {
  return `[${texts.map((text) => sqlString(text)).join(', ')}]`;
}
