/** `text` as a ClickHouse string literal. */
export function sqlString(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

/** `texts` as a ClickHouse array of string literals. */
export function sqlStrings(texts: readonly string[]): string {
  return `[${texts.map((text) => sqlString(text)).join(', ')}]`;
}

/** A longer text that stands in another several times is bound by {@link letSql}. */
const SHORT = 200;

/**
 * Whether an expression may stand in a text several times: the engine evaluates equal expressions once, which costs it
 * less than what {@link letSql} needs, but the text grows with every use.
 */
export function isShort(expression: string): boolean {
  return expression.length <= SHORT;
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
