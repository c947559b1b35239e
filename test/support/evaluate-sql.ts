import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Session } from 'chdb';

/**
 * A warehouse engine of its own for specs of SQL expressions: one temp directory, gone after `close`.
 * Values travel through a file, so that no text needs escaping.
 */
export class SqlBench {
  private constructor(
    private readonly folder: string,
    private readonly session: Session,
  ) {}

  static async open(): Promise<SqlBench> {
    const folder = await mkdtemp(join(tmpdir(), 'hub-sql-'));
    return new SqlBench(folder, new Session(join(folder, 'data')));
  }

  /**
   * Evaluates named expressions over rows of String columns, all in one query.
   *
   * @param rows every row has the same columns
   * @returns for every row, in order, the value of each expression (64-bit and wider numbers as strings)
   */
  async evaluate<E extends string>(
    rows: readonly Readonly<Record<string, string>>[],
    expressions: Readonly<Record<E, string>>,
  ): Promise<Record<E, unknown>[]> {
    const file = join(this.folder, 'rows.ndjson');
    await writeFile(file, rows.map((row, index) => JSON.stringify({ ...row, row_number: index })).join('\n'));
    const structure = [
      ...Object.keys(rows[0] ?? {}).map((column) => `\`${column}\` String`),
      'row_number UInt32',
    ];
    const names = Object.keys(expressions) as E[];
    const selected = names.map((name) => `${expressions[name]} AS \`out_${name}\``).join(', ');
    const text = this.session.query(
      `SELECT ${selected} FROM file('${file}', 'JSONEachRow', '${structure.join(', ')}') ORDER BY row_number`,
      'JSONCompactEachRow',
    );
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const values = JSON.parse(line) as unknown[];
        return Object.fromEntries(names.map((name, index) => [name, values[index]])) as Record<E, unknown>;
      });
  }

  async close(): Promise<void> {
    this.session.cleanup();
    await rm(this.folder, { recursive: true, force: true });
  }
}
