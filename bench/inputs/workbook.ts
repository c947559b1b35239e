import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipArchive } from 'archiver';

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const RELATIONS = 'http://schemas.openxmlformats.org/package/2006/relationships';
/** Rows that are put into text at once. */
const SLICE = 2000;

/** A workbook of one sheet with a header and `count` rows of the same people as `people` of generate.ts. */
export async function writeWorkbook(path: string, count: number): Promise<void> {
  const zip = new ZipArchive({ zlib: { level: 1 } });
  const relation = (type: string, target: string) =>
    `<Relationships xmlns="${RELATIONS}"><Relationship Id="r1" Type="${OFFICE}/${type}" Target="${target}"/></Relationships>`;
  zip.append('<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>', {
    name: '[Content_Types].xml',
  });
  zip.append(relation('officeDocument', 'xl/workbook.xml'), { name: '_rels/.rels' });
  zip.append(
    `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets><sheet name="People" sheetId="1" r:id="r1"/></sheets></workbook>`,
    { name: 'xl/workbook.xml' },
  );
  zip.append(relation('worksheet', 'worksheets/sheet1.xml'), { name: 'xl/_rels/workbook.xml.rels' });
  zip.append(Readable.from(sheet(count), { objectMode: false }), { name: 'xl/worksheets/sheet1.xml' });
  await Promise.all([pipeline(zip, createWriteStream(path)), zip.finalize()]);
}

function* sheet(count: number): Generator<string> {
  yield `<worksheet xmlns="${MAIN}"><sheetData>${row(1, ['customer_id', 'email'])}`;
  for (let first = 0; first < count; first += SLICE) {
    const here = Math.min(SLICE, count - first);
    yield Array.from({ length: here }, (_, at) => {
      const number = first + at;
      return row(number + 2, [`customer-${number}`, `person-${number}@example.com`]);
    }).join('');
  }
  yield '</sheetData></worksheet>';
}

function row(number: number, cells: readonly string[]): string {
  const inside = cells.map((text) => `<c t="inlineStr"><is><t>${text}</t></is></c>`);
  return `<row r="${number}">${inside.join('')}</row>`;
}
