import { statSync } from 'node:fs';
import { fileProblem, notAWorkbook } from '../../../../domain/files/index.js';
import { WorkbookProblem } from '../../../../domain/workbooks/index.js';
import { checkFile, refused, sizeProblem } from '../check-file.js';
import { LocalFile, type Breathe } from '../local-file.js';
import type { PreflightReport, PreflightRequest } from '../report.js';
import { convertWorkbook } from './convert-workbook.js';

/** Checks a workbook: turns its sheet into text, and checks that as any other text. */
export async function checkWorkbook(request: PreflightRequest, breathe: Breathe): Promise<PreflightReport> {
  const { path, shape, textPath } = request;
  const { size } = statSync(path);
  const problem = sizeProblem(size, shape) ?? kindProblem(path);
  if (problem) return refused([problem]);
  try {
    const columns = shape.header ? undefined : (shape.columns?.length ?? 1);
    const maxRows = shape.maxRows === undefined ? undefined : shape.maxRows + (shape.header ? 1 : 0);
    const { otherSheets } = await convertWorkbook({ path, textPath, shape: { columns, maxRows } }, breathe);
    if (statSync(textPath).size === 0) return refused([EMPTY_SHEET]);
    const report = await checkFile(textRequest(request), breathe);
    if (report.verdict === 'refused') return report;
    return { ...report, sizeBytes: size, notes: notesOf(otherSheets) };
  } catch (error) {
    if (!(error instanceof WorkbookProblem)) throw error;
    const { code, message, row, column } = error;
    return refused([{ row, column, code, message, value: null }]);
  }
}

function kindProblem(path: string) {
  const file = LocalFile.open(path);
  try {
    return notAWorkbook(file.head(), (offset) => file.sampleAt(offset));
  } finally {
    file.close();
  }
}

/** What the sheet became is this hub's own work: UTF-8, commas, and as long as the converter lets it be. */
function textRequest(request: PreflightRequest): PreflightRequest {
  const shape = { ...request.shape, encodings: 'utf-8' as const, maxBytes: Number.POSITIVE_INFINITY };
  return { ...request, path: request.textPath, shape, delimiter: ',' };
}

const EMPTY_SHEET = fileProblem(
  'EMPTY_FILE',
  'The first visible sheet of the workbook holds nothing. Put the table there and send it again.',
);

function notesOf(otherSheets: number): { code: string; message: string }[] {
  if (otherSheets === 0) return [];
  const message = `Only the first visible sheet was read: ${otherSheets} more of the workbook ${otherSheets === 1 ? 'holds' : 'hold'} something. Send each as a workbook of its own if it is to be imported.`;
  return [{ code: 'SHEETS_PASSED_OVER', message }];
}
