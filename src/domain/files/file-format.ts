import type { FileShape } from '../../kit/index.js';

/** So many first bytes tell what a file is. */
export const START_BYTES = 4;

/** Beginnings of a ZIP archive, as workbooks are, and of the old binary workbooks, whose refusal says what to do. */
const WORKBOOKS = ['504b', 'd0cf'];
const UTF_16 = ['fffe', 'feff'];

/** What a file is by its first bytes; where they say nothing, by its name. */
export function formatOf(fileName: string, start: Buffer): FileShape['format'] {
  if (WORKBOOKS.includes(start.subarray(0, 2).toString('hex'))) return 'xlsx';
  return /\.xlsx$/i.test(fileName) ? 'xlsx' : 'csv';
}

/** True for files whose bytes are no text of single bytes: workbooks, and UTF-16 by its mark. */
export function isBinaryStart(start: Buffer): boolean {
  return [...WORKBOOKS, ...UTF_16].includes(start.subarray(0, 2).toString('hex'));
}
