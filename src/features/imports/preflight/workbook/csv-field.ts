/** Bytes of UTF-8 for one unit of a JavaScript string, at most. */
export const BYTES_A_UNIT = 3;

/** A byte order mark would be taken for the file's own where it stood first. */
const NEEDS_QUOTES = /[",\r\n\ufeff]/;

/** A text as a field of a CSV line. */
export function csvField(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
