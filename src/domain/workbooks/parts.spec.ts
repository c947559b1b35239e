import { describe, expect, it } from '@jest/globals';
import { attributeOf, PartParser, type PartHandler } from './part-parser.js';
import { SharedStringsReader } from './shared-strings.js';
import { StylesReader } from './styles-part.js';
import { RelationsReader, WorkbookReader } from './workbook-part.js';

function read<T extends PartHandler>(handler: T, ...pieces: string[]): T {
  const parser = new PartParser('the part', handler);
  for (const piece of pieces) parser.write(piece);
  parser.end();
  return handler;
}

const silent = (): PartHandler => ({ open: () => undefined, text: () => undefined, close: () => undefined });

describe('a part of a workbook', () => {
  it('is read with elements and attributes by their names without a prefix', () => {
    const heard: unknown[] = [];
    const handler: PartHandler = {
      open: (name, attributes) =>
        heard.push([name, attributeOf(attributes, 'id'), attributeOf(attributes, 'no')]),
      text: (text) => heard.push(text),
      close: (name) => heard.push(`/${name}`),
    };
    read(handler, '<x:a r:id="1"><b id="2" r:id="3">t<![CDATA[<c>]]></b><x:a/></x:a>');
    expect(heard).toEqual([
      ['a', '1', undefined],
      ['b', '2', undefined],
      't',
      '<c>',
      '/b',
      ['a', undefined, undefined],
      '/a',
      '/a',
    ]);
  });

  it.each([
    ['nests its elements without end', '<a>'.repeat(65)],
    ['declares a DOCTYPE', '<!DOCTYPE a><a/>'],
    ['is written in an encoding', '<?xml version="1.0" encoding="latin1"?><a/>'],
    ['is written in an encoding', '<?xml version="1.0" encoding="x-utf-8"?><a/>'],
    ['is written in an encoding', '<?xml version="1.0" encoding="utf-80"?><a/>'],
    ['is no well-formed XML', '<a>'],
    ['is no well-formed XML', '<a></b>'],
    ['has millions of characters without a tag', '<a>', 'x'.repeat(4 * 2 ** 20), 'y'],
  ])('is refused where it %s', (what, ...pieces) => {
    expect(() => read(silent(), ...pieces)).toThrow(
      expect.objectContaining({
        code: 'WORKBOOK_DAMAGED',
        message: expect.stringMatching(
          new RegExp(`^The workbook cannot be read: the part ${what}[^x]*\\. Open`),
        ),
      }),
    );
  });

  it.each(['UTF-8', 'utf8', 'UTF-16'])('may say the encoding %s', (encoding) => {
    expect(() => read(silent(), `<?xml version="1.0" encoding="${encoding}"?><a/>`)).not.toThrow();
  });

  it('may leave its encoding out', () => {
    expect(() => read(silent(), '<?xml version="1.0"?><a/>')).not.toThrow();
  });

  it('may nest 64 elements, have many names, and as many characters as cells hold between tags', () => {
    expect(() => read(silent(), '<a>'.repeat(64), '</a>'.repeat(64))).not.toThrow();
    expect(() => read(silent(), `<a>${'<b/>'.repeat(100)}</a>`)).not.toThrow();
    const most = 'x'.repeat(4 * 2 ** 20);
    expect(() => read(silent(), '<a><b>', most, '</b>', '<b>', most, '</b>', '</a>')).not.toThrow();
  });

  it('passes failures of its reader on as they are', () => {
    const error = new RangeError('of the reader');
    const open = () => {
      throw error;
    };
    const failing = { ...silent(), open };
    expect(() => read(failing, '<a/>')).toThrow(error);
  });
});

describe('the shared strings', () => {
  it('are the texts of items, in runs or whole, without reading aids and what stands elsewhere', () => {
    const texts: string[] = [];
    const items =
      '<si><t>a</t></si> x <si><r><t>b </t></r> y <r><t>c</t></r><rPh><t>d</t></rPh><r><t>e</t></r></si><si/><t>z</t>';
    read(new SharedStringsReader((text) => texts.push(text)), `<sst>${items}<si><t>_x0041_</t></si></sst>`);
    expect(texts).toEqual(['a', 'b ce', '', 'A']);
  });
});

describe('the styles', () => {
  it('name formats that the file defines or that all know, and only those of cells', () => {
    const styles = read(
      new StylesReader(),
      '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="0000"/><numFmt numFmtId="165"/></numFmts>',
      '<cellStyleXfs><xf numFmtId="9"/></cellStyleXfs>',
      '<cellXfs><xf numFmtId="164"/><xf numFmtId="14"/><xf/><xf numFmtId="165"/></cellXfs>',
      '<dxfs><xf numFmtId="9"/></dxfs></styleSheet>',
    ).numberTexts(true);
    expect([0, 1, 2, 3, 4].map((style) => styles.of(style)('42'))).toEqual([
      '0042',
      '2/12/1904',
      '42',
      '42',
      '42',
    ]);
    expect(styles.of(0)).toBe(styles.of(0));
    expect(styles.date1904).toBe(true);
  });
});

describe('the workbook', () => {
  it('lists its sheets and says from when its dates are counted', () => {
    const book = read(
      new WorkbookReader(),
      '<workbook><workbookPr date1904="on"/><sheets><sheet name="A" r:id="rId1"/>',
      '<sheet name="B" state="hidden" r:id="rId2"/><sheet name="C" state="visible"/></sheets></workbook>',
    );
    expect(book.date1904).toBe(true);
    expect(book.sheets).toEqual([
      { relationId: 'rId1', visible: true },
      { relationId: 'rId2', visible: false },
      { relationId: '', visible: true },
    ]);
    const from1904 = (on: string) =>
      read(new WorkbookReader(), `<workbook><workbookPr date1904="${on}"/></workbook>`).date1904;
    expect(['1', 'true', 'on', '0', ''].map(from1904)).toEqual([true, true, true, false, false]);
    expect(read(new WorkbookReader(), '<workbook/>').date1904).toBe(false);
  });

  it.each([
    ['sheet1.xml', 'xl/sheet1.xml'],
    ['./a//b.xml', 'xl/a/b.xml'],
    ['../b.xml', 'b.xml'],
    ['/c/d.xml', 'c/d.xml'],
  ])('is related to %s as %s', (target, part) => {
    const { relations } = read(
      new RelationsReader('xl/'),
      `<Relationships><Relationship Id="r1" Type="https://example.com/types/worksheet" Target="${target}"/><Other/></Relationships>`,
    );
    expect(relations).toEqual([{ id: 'r1', type: 'worksheet', part }]);
  });

  it('is related to nothing in the archive by what lies outside', () => {
    const outside = '<Relationships><Relationship Target="x" TargetMode="External"/></Relationships>';
    expect(read(new RelationsReader('xl/'), outside).relations).toEqual([
      { id: '', type: '', part: undefined },
    ]);
  });
});
