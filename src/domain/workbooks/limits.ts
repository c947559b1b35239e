/** What a workbook may hold and need. Beyond it the file is no table of people but damage or an attack. */
export const WORKBOOK_LIMITS = {
  /** Files inside the ZIP archive. */
  entries: 10_000,
  /** Bytes of one part, unpacked. A full sheet of sixty columns has about 4 GiB. */
  partBytes: 8 * 2 ** 30,
  /** Unpacked bytes for one packed byte of a part… */
  ratio: 250,
  /** …that is larger than this; small parts of nothing but blanks may shrink to anything. */
  ratioFromBytes: 64 * 2 ** 20,
  /** Bytes of the text that the sheet becomes. */
  textBytes: 8 * 2 ** 30,
  /** Bytes of the small parts: workbook, relationships, styles. */
  smallPartBytes: 64 * 2 ** 20,
  /** Rows and columns that a sheet has in Excel. */
  rows: 2 ** 20,
  columns: 2 ** 14,
  /** Nested elements. Real parts have about ten. */
  depth: 64,
  /** Characters without a tag. A cell holds 32,767. */
  charactersBetweenTags: 4 * 2 ** 20,
} as const;

/** {@link WORKBOOK_LIMITS} or, for tests, smaller ones. */
export type WorkbookLimits = { [Name in keyof typeof WORKBOOK_LIMITS]: number };
