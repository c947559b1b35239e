import { buffer } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { ZipArchive } from 'archiver';

/** A cell of a test workbook: a text among the shared strings, or what `xml` says inside `<c r="…"`. */
export type TestCell = string | undefined | { xml: string };

/** A sheet, its rows from the first one on; an absent row leaves a gap. */
export interface TestSheet {
  rows: Iterable<readonly TestCell[] | undefined>;
  state?: 'visible' | 'hidden' | 'veryHidden';
}

/** What else a workbook may have. */
export interface TestWorkbook {
  sheets: readonly TestSheet[];
  /** Number formats of the styles 1, 2, 3 …; style 0 is General. */
  formats?: readonly string[];
  date1904?: boolean;
}

export type Parts = Record<string, string | Buffer | Readable>;

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/package/2006/relationships';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

/** A number, shown by the style. */
export const number = (value: number | string, style = 0): TestCell => ({
  xml: `s="${style}"><v>${value}</v>`,
});
export const inline = (text: string): TestCell => ({
  xml: `t="inlineStr"><is><t xml:space="preserve">${escapeXml(text)}</t></is>`,
});
export const formulaText = (text: string): TestCell => ({
  xml: `t="str"><f>A1</f><v>${escapeXml(text)}</v>`,
});
export const boolean = (value: boolean): TestCell => ({ xml: `t="b"><v>${value ? 1 : 0}</v>` });
export const errorCell = (text: string): TestCell => ({ xml: `t="e"><v>${text}</v>` });

/** As XML holds a text; characters that it cannot hold as Excel writes them. */
export function escapeXml(text: string): string {
  return text
    .replaceAll(/_(?=x[\da-f]{4}_)/gi, '_x005F_')
    .replaceAll(
      /[\p{Cc}\ufffe\uffff]/gu,
      (character) => `_x${character.charCodeAt(0).toString(16).padStart(4, '0')}_`,
    )
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** The letters of a 0-based column. */
export function lettersOf(column: number): string {
  const last = String.fromCharCode(65 + (column % 26));
  return column < 26 ? last : lettersOf(Math.floor(column / 26) - 1) + last;
}

/** The parts of a workbook, as Excel would lay them out. */
export function partsOf({ sheets, formats = [], date1904 = false }: TestWorkbook): Parts {
  const shared: string[] = [];
  const parts: Parts = {};
  const listed = sheets.map((sheet, index) => {
    parts[`xl/worksheets/sheet${index + 1}.xml`] = sheetXml(sheet, shared);
    return `<sheet name="Sheet${index + 1}" sheetId="${index + 1}" state="${sheet.state ?? 'visible'}" r:id="rId${index + 1}"/>`;
  });
  const others = { styles: sheets.length + 1, sharedStrings: sheets.length + 2 };
  return {
    '[Content_Types].xml': `${HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
    '_rels/.rels': relationsXml([['rId1', 'officeDocument', 'xl/workbook.xml']]),
    'xl/workbook.xml': `${HEAD}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><workbookPr date1904="${date1904 ? 1 : 0}"/><sheets>${listed.join('')}</sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relationsXml([
      ...sheets.map((_, index): [string, string, string] => [
        `rId${index + 1}`,
        'worksheet',
        `worksheets/sheet${index + 1}.xml`,
      ]),
      [`rId${others.styles}`, 'styles', '/xl/styles.xml'],
      [`rId${others.sharedStrings}`, 'sharedStrings', 'sharedStrings.xml'],
    ]),
    'xl/styles.xml': stylesXml(formats),
    ...parts,
    'xl/sharedStrings.xml': `${HEAD}<sst xmlns="${MAIN}">${shared.map((text) => `<si><t xml:space="preserve">${escapeXml(text)}</t></si>`).join('')}</sst>`,
  };
}

/** A ZIP archive of the parts. */
export async function zipOf(parts: Parts, level = 1): Promise<Buffer> {
  const zip = new ZipArchive({ zlib: { level } });
  for (const [name, content] of Object.entries(parts)) zip.append(content, { name });
  const [bytes] = await Promise.all([buffer(zip), zip.finalize()]);
  return bytes;
}

/** The file of a workbook. */
export const workbookOf = (workbook: TestWorkbook): Promise<Buffer> => zipOf(partsOf(workbook));

function sheetXml({ rows }: TestSheet, shared: string[]): string {
  let xml = `${HEAD}<worksheet xmlns="${MAIN}"><sheetData>`;
  let row = 0;
  for (const cells of rows) {
    row += 1;
    if (cells === undefined) continue;
    const inside = cells.map((cell, column) => cellXml(cell, `${lettersOf(column)}${row}`, shared));
    xml += `<row r="${row}">${inside.join('')}</row>`;
  }
  return `${xml}</sheetData></worksheet>`;
}

function cellXml(cell: TestCell, reference: string, shared: string[]): string {
  if (cell === undefined) return '';
  if (typeof cell === 'object') return `<c r="${reference}" ${cell.xml}</c>`;
  return `<c r="${reference}" t="s"><v>${shared.push(cell) - 1}</v></c>`;
}

function relationsXml(relations: readonly [id: string, type: string, target: string][]): string {
  const inside = relations.map(
    ([id, type, target]) => `<Relationship Id="${id}" Type="${OFFICE}/${type}" Target="${target}"/>`,
  );
  return `${HEAD}<Relationships xmlns="${RELATIONS}">${inside.join('')}</Relationships>`;
}

function stylesXml(formats: readonly string[]): string {
  const codes = formats.map(
    (code, index) =>
      `<numFmt numFmtId="${164 + index}" formatCode="${escapeXml(code).replaceAll('"', '&quot;')}"/>`,
  );
  const styles = ['<xf numFmtId="0"/>', ...formats.map((_, index) => `<xf numFmtId="${164 + index}"/>`)];
  return `${HEAD}<styleSheet xmlns="${MAIN}"><numFmts>${codes.join('')}</numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs>${styles.join('')}</cellXfs></styleSheet>`;
}
