import { statSync } from 'node:fs';
import { TextDecoder } from 'node:util';
import {
  damaged,
  NumberTexts,
  PartParser,
  RelationsReader,
  SharedStringsReader,
  SheetReader,
  ShortcutParser,
  StylesReader,
  WORKBOOK_LIMITS,
  WorkbookReader,
  type PartHandler,
  type Relation,
  type RowSink,
  type WorkbookLimits,
} from '../../../../domain/workbooks/index.js';
import type { Breathe } from '../local-file.js';
import { CsvRows, type TableShape } from './csv-rows.js';
import { TextStore } from './text-store.js';
import { ZipParts } from './zip-parts.js';

/** A workbook to be turned into CSV. */
export interface Conversion {
  path: string;
  /** Written: the first visible sheet as CSV in UTF-8, comma between fields; line n holds row n. */
  textPath: string;
  shape: TableShape;
  limits?: WorkbookLimits;
}

/** What of a workbook was passed over. */
export interface ConversionResult {
  /** Visible sheets behind the first one that hold something. */
  otherSheets: number;
}

/** Turns the first visible sheet of a workbook into CSV, in bounded memory. Throws WorkbookProblem. */
export async function convertWorkbook(conversion: Conversion, breathe: Breathe): Promise<ConversionResult> {
  const limits = limitsFor(conversion);
  const zip = await ZipParts.open(conversion.path, limits);
  const texts = new TextStore(conversion.textPath);
  try {
    return await new WorkbookConversion(conversion, limits, zip, texts, breathe).run();
  } finally {
    texts.close();
    zip.close();
  }
}

/** Many cells can name one long text: what comes of that has to stand in proportion, as what is unpacked. */
function limitsFor({ path, limits = WORKBOOK_LIMITS }: Conversion): WorkbookLimits {
  const inProportion = Math.max(limits.ratioFromBytes, statSync(path).size * limits.ratio);
  return { ...limits, textBytes: Math.min(limits.textBytes, inProportion) };
}

class WorkbookConversion {
  constructor(
    private readonly conversion: Conversion,
    private readonly limits: WorkbookLimits,
    private readonly zip: ZipParts,
    private readonly texts: TextStore,
    private readonly breathe: Breathe,
  ) {}

  async run(): Promise<ConversionResult> {
    const root = await this.relationsOf('');
    const main = root.find((relation) => relation.type === 'officeDocument')?.part;
    if (main === undefined) throw damaged('it does not say where its workbook part is');
    const workbook = new WorkbookReader();
    await this.readSmall(main, 'the workbook part', workbook);
    const relations = await this.relationsOf(main);
    const numbers = await this.numberTexts(relations, workbook.date1904);
    await this.readTexts(relations);
    const sheets = sheetsOf(workbook, relations);
    const [first, ...others] = sheets;
    if (first === undefined) throw damaged('it has no visible sheet');
    await this.writeSheet(first, numbers);
    return { otherSheets: await this.countFilled(others) };
  }

  private async relationsOf(part: string): Promise<Relation[]> {
    const slash = part.lastIndexOf('/') + 1;
    const folder = part.slice(0, slash);
    const reader = new RelationsReader(folder);
    await this.readSmall(`${folder}_rels/${part.slice(slash)}.rels`, 'the list of its parts', reader);
    return reader.relations;
  }

  private async numberTexts(relations: readonly Relation[], date1904: boolean): Promise<NumberTexts> {
    const part = partOf(relations, 'styles');
    if (part === undefined) return new NumberTexts([], date1904);
    const reader = new StylesReader();
    await this.readSmall(part, 'the styles part', reader);
    return reader.numberTexts(date1904);
  }

  private async readTexts(relations: readonly Relation[]): Promise<void> {
    const part = partOf(relations, 'sharedStrings');
    if (part === undefined) return;
    const reader = new SharedStringsReader((text) => this.texts.add(text));
    await this.read(part, 'the shared strings part', reader, this.limits.partBytes);
  }

  private async writeSheet(part: string, numbers: NumberTexts): Promise<void> {
    const { textPath, shape } = this.conversion;
    const rows = new CsvRows(textPath, this.texts, shape, this.limits);
    try {
      await this.readSheet(part, 'the sheet', new SheetReader(numbers, rows));
      rows.finish();
    } finally {
      rows.close();
    }
  }

  /** Reads each only up to its first cell. */
  private async countFilled(parts: readonly string[]): Promise<number> {
    let filled = 0;
    const sink: RowSink = {
      row: () => {
        filled += 1;
        return false;
      },
    };
    for (const part of parts) {
      await this.readSheet(part, 'a further sheet', new SheetReader(new NumberTexts([], false), sink));
    }
    return filled;
  }

  private readSheet(part: string, what: string, sheet: SheetReader): Promise<void> {
    return this.read(part, what, sheet, this.limits.partBytes, () => sheet.done);
  }

  private readSmall(part: string, what: string, reader: PartHandler): Promise<void> {
    return this.read(part, what, reader, this.limits.smallPartBytes);
  }

  private async read(
    part: string,
    what: string,
    handler: PartHandler,
    maxBytes: number,
    isDone = () => false,
  ): Promise<void> {
    const whole = new PartParser(what, handler);
    const parser = handler.shortcut ? new ShortcutParser(whole, handler.shortcut) : whole;
    let decoder: TextDecoder | undefined;
    for await (const bytes of this.zip.read(part, what, maxBytes)) {
      decoder ??= decoderOf(bytes);
      parser.write(decoded(decoder, bytes, what));
      if (isDone()) return;
      await this.breathe();
    }
    if (decoder) parser.write(decoded(decoder, undefined, what));
    parser.end();
  }
}

function partOf(relations: readonly Relation[], type: string): string | undefined {
  return relations.find((relation) => relation.type === type)?.part;
}

/** The parts of the visible sheets; charts that have a sheet of their own are none. */
function sheetsOf(workbook: WorkbookReader, relations: readonly Relation[]): string[] {
  const byId = new Map(relations.map((relation) => [relation.id, relation]));
  return workbook.sheets.flatMap(({ relationId, visible }) => {
    const relation = byId.get(relationId);
    if (!visible || relation?.type === 'chartsheet' || relation?.type === 'dialogsheet') return [];
    if (relation?.part === undefined) throw damaged('one of its sheets is missing');
    return [relation.part];
  });
}

/** Parts are UTF-8, or UTF-16 with a byte order mark. */
function decoderOf(bytes: Buffer): TextDecoder {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le', { fatal: true });
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be', { fatal: true });
  return new TextDecoder('utf-8', { fatal: true });
}

function decoded(decoder: TextDecoder, bytes: Buffer | undefined, what: string): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    throw damaged(`${what} holds bytes that are no text`);
  }
}
