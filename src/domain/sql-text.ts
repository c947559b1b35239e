/** `text` as a ClickHouse string literal. */
export function sqlString(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

/** `texts` as a ClickHouse array of string literals. */
export function sqlStrings(texts: readonly string[]): string {
  return `[${texts.map((text) => sqlString(text)).join(', ')}]`;
}

/**
 * `body` with names for expressions that it uses more than once: SQL's missing `let`. The engine evaluates
 * each bound expression once, and the text does not grow with every use.
 *
 * @param bindings name → expression. Names begin with `hub_`, so that no column of a file is meant by chance
 */
export function letSql(bindings: Readonly<Record<`hub_${string}`, string>>, body: string): string {
  const names = Object.keys(bindings).join(', ');
  const values = Object.values(bindings).map((expression) => `[${expression}]`);
  return `arrayMap((${names}) -> ${body}, ${values.join(', ')})[1]`;
}
