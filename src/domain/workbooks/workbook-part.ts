import { attributeOf, isOn, type Attributes, type PartHandler } from './part-parser.js';

/** A sheet as the workbook lists it. */
export interface ListedSheet {
  relationId: string;
  visible: boolean;
}

/** Reads the workbook part: which sheets there are, and from when dates are counted. */
export class WorkbookReader implements PartHandler {
  date1904 = false;
  readonly sheets: ListedSheet[] = [];

  open(name: string, attributes: Attributes): void {
    if (name === 'workbookPr') this.date1904 = isOn(attributeOf(attributes, 'date1904'));
    if (name !== 'sheet') return;
    const relation = Object.keys(attributes).find((key) => key.endsWith(':id'));
    const state = attributeOf(attributes, 'state') ?? 'visible';
    this.sheets.push({
      relationId: relation === undefined ? '' : (attributes[relation] ?? ''),
      visible: state === 'visible',
    });
  }

  text(): void {}

  close(): void {}
}

/** One relationship of a part to another one. */
export interface Relation {
  id: string;
  /** Last segment of the type's address: `worksheet`, `sharedStrings`, `styles`, `officeDocument`. */
  type: string;
  /** Name of the part in the archive; undefined where the target lies outside it. */
  part: string | undefined;
}

/** Reads a relationships part. `folder` is where the part they belong to lies: `xl/`. */
export class RelationsReader implements PartHandler {
  readonly relations: Relation[] = [];

  constructor(private readonly folder: string) {}

  open(name: string, attributes: Attributes): void {
    if (name !== 'Relationship') return;
    const type = attributeOf(attributes, 'Type') ?? '';
    const target = attributeOf(attributes, 'Target') ?? '';
    const outside = attributeOf(attributes, 'TargetMode') === 'External';
    this.relations.push({
      id: attributeOf(attributes, 'Id') ?? '',
      type: type.slice(type.lastIndexOf('/') + 1),
      part: outside ? undefined : resolvePart(this.folder, target),
    });
  }

  text(): void {}

  close(): void {}
}

/** `/xl/styles.xml` and `styles.xml` beside `xl/workbook.xml` are the same part. */
function resolvePart(folder: string, target: string): string {
  const segments: string[] = [];
  const path = target.startsWith('/') ? target : `${folder}${target}`;
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments.join('/');
}
