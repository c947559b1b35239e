import { open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** A statement is looked for in this much of a body that begins with it. */
const HEAD_BYTES = 64 * 1024;
/** `INSERT … FORMAT X`, and nothing after it but the data. */
const INSERT_WITH_DATA = /^(\s*INSERT\b[\s\S]*?)\s+FORMAT\s+(\w+)\s*;?\s*$/i;
/** The same at the beginning of a body, data following on the next line. */
const INSERT_BEFORE_DATA = /^(\s*INSERT\b(?:(?!\bFORMAT\b|\bVALUES\b)[\s\S])*?\s+FORMAT\s+\w+)[ \t]*\r?\n/i;
const INPUT = /\binput\s*\(\s*('(?:[^'\\]|\\.|'')*')\s*\)/i;

/**
 * The statement to hand to the engine. Data of an INSERT stays in its file: `input('a String')` becomes
 * `file('path', 'CSV', 'a String')`, and an INSERT without a query selects from the file.
 *
 * @param {import('./request.mjs').Given} given
 * @returns {Promise<string>}
 */
export async function prepare(given) {
  if (given.query === '') await splitBody(given);
  const insert = INSERT_WITH_DATA.exec(given.query);
  if (!insert) {
    const body = given.bodyPath === '' ? '' : await readFile(given.bodyPath, 'utf8');
    return body === '' ? given.query : `${given.query}\n${body}`.trimStart();
  }
  const [, into = '', format = ''] = insert;
  const path = `'${given.bodyPath}'`;
  const input = INPUT.exec(into);
  if (input) return into.replace(INPUT, () => `file(${path}, '${format}', ${input[1]})`);
  return `${into} SELECT * FROM file(${path}, '${format}')`;
}

/**
 * Moves an INSERT at the beginning of the body to `query`, and leaves the data in the file.
 *
 * @param {import('./request.mjs').Given} given
 */
async function splitBody(given) {
  const { size } = await stat(given.bodyPath);
  const file = await open(given.bodyPath);
  const head = Buffer.alloc(Math.min(size, HEAD_BYTES));
  await file.read(head, 0, head.length, 0);
  await file.close();
  const before = INSERT_BEFORE_DATA.exec(head.toString('latin1'));
  if (!before) return;
  given.query = head.subarray(0, before[1]?.length ?? 0).toString('utf8');
  const rest = `${given.bodyPath}.data`;
  if (size === before[0].length) await writeFile(rest, '');
  else await pipeline(createReadStream(given.bodyPath, { start: before[0].length }), createWriteStream(rest));
  await rename(rest, given.bodyPath);
}
