import { checkFile } from './check-file.js';
import type { Breathe } from './local-file.js';
import type { PreflightReport, PreflightRequest } from './report.js';
import { checkWorkbook } from './workbook/check-workbook.js';

/** Checks a file of whichever format its shape says. */
export function checkSource(request: PreflightRequest, breathe: Breathe): Promise<PreflightReport> {
  return request.shape.format === 'xlsx' ? checkWorkbook(request, breathe) : checkFile(request, breathe);
}
