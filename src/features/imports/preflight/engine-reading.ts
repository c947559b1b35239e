import type { EngineReading } from './report.js';

/** Off: everything by which an engine would read a value as something else than what stands there. */
const LITERAL = { input_format_null_as_default: 0 } as const;

/** The file as it is, after it was found plain: no quotes, every line the same number of delimiters. */
export function plainReading(
  path: string,
  columns: number,
  delimiter: string,
  skipLines: number,
): EngineReading {
  if (columns === 1 && skipLines === 0) return { path, format: 'LineAsString', skipLines, settings: {} };
  const settings = {
    ...LITERAL,
    format_csv_delimiter: delimiter,
    format_csv_allow_single_quotes: 0,
    input_format_csv_detect_header: 0,
    input_format_csv_trim_whitespaces: 0,
    input_format_csv_skip_first_lines: skipLines,
    // The engine refuses the tab as delimiter without this.
    ...(delimiter === '\t' ? { input_format_csv_allow_whitespace_or_tab_as_delimiter: 1 } : {}),
  };
  return { path, format: 'CSV', skipLines, settings };
}

/** The file of good records that the preflight wrote. */
export function cleanReading(path: string): EngineReading {
  const settings = { ...LITERAL, input_format_tsv_detect_header: 0 };
  return { path, format: 'TabSeparated', skipLines: 0, settings };
}
