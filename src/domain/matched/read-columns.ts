import {
  isKnownAttribute,
  isPartnered,
  partnerNamed,
  recogniseHeader,
  type Part,
  type PartneredType,
} from '../identities/index.js';
import { DATA_FORMATS, DATA_PARTNERS } from './static-lists.js';

/** A column of an uploaded file and the field it holds; null: a field that nobody is matched by. */
export interface NamedColumn {
  column: string;
  part: Part | null;
  /** Of voter ids and NPIs: whose they are; null: nobody said. */
  partner?: string | null;
}

/** What an upload says of its columns. */
export interface ColumnsRequest {
  /** JSON of `{ column of the file: system field }`. */
  columns: string;
  /** JSON of `{ system field or column: data partner or hash form }`. */
  columnSettings: string | undefined;
  isSingleColumnEnabled: boolean;
}

export type ColumnsResult = { columns: NamedColumn[] } | { refused: string };

const MAX_COLUMNS = 2000;
const SINGLE: ReadonlySet<string> = new Set(['voter_id', 'npi', 'email', 'phone', 'full_address']);
const HASHED = /^(email|phone)_(?:md5|sha1|sha256|sha512)$/;
const COMBINATIONS: readonly (readonly Part[])[] = [
  ['first_name', 'last_name', 'zip', 'state'],
  ['last_name', 'street', 'zip', 'state'],
  ['street', 'zip', 'state'],
];

/**
 * Which columns an upload is to be matched by. Only those that it names count, whatever else is in the file. With
 * `isSingleColumnEnabled` those alone that identify by themselves (voter id, NPI, phone, e-mail, full address).
 */
export function readColumns(request: ColumnsRequest): ColumnsResult {
  const named = jsonTexts(request.columns);
  if (!named || Object.keys(named).length === 0 || Object.keys(named).length > MAX_COLUMNS) {
    return refuse('Columns must be a JSON object that maps columns of the file to system fields.');
  }
  const settings = jsonTexts(request.columnSettings || '{}');
  if (!settings) return refuse('Column settings must be a JSON object of system fields and their setting.');
  const columns: NamedColumn[] = [];
  for (const [column, field] of Object.entries(named)) {
    const found = partOf(column, field, settings);
    if ('refused' in found) return found;
    columns.push({ column, ...found });
  }
  return checkedCombination(columns, request.isSingleColumnEnabled);
}

function partOf(
  column: string,
  field: string,
  settings: Record<string, string>,
): Omit<NamedColumn, 'column'> | { refused: string } {
  const known = recogniseHeader(field);
  if (known === undefined) {
    if (isKnownAttribute(field)) return { part: null };
    return refuse('Columns map to a system field that is not supported. See the column list.');
  }
  const { part } = known;
  const setting = settings[field] ?? settings[column];
  if (isPartnered(part)) return withPartner(part, setting, known.partner ?? recogniseHeader(column)?.partner);
  const contact = HASHED.exec(part)?.[1] ?? part;
  if (contact === 'email' || contact === 'phone') return withForm(contact, part, column, setting);
  return { part };
}

/** The setting counts; without one, whose ids the field or the column's own name says (`LALVOTERID`), or nobody's. */
function withPartner(part: PartneredType, setting: string | undefined, named: string | undefined) {
  if (setting === undefined) return { part, partner: named ?? null };
  const column = part === 'npi' ? 'NPI_ID' : 'Voters_ID';
  const partners = DATA_PARTNERS.filter((partner) => partner.column === column);
  const partner = partnerNamed(part, setting);
  if (partners.some(({ id }) => partnerNamed(part, id) === partner)) return { part, partner };
  return refuse(
    `The data partner of ${column} is not supported. Use one of ${partners.map(({ id }) => id).join(', ')}.`,
  );
}

/** The setting counts; without one, what the field or the column's own name says ("email-sha256"). */
function withForm(contact: 'email' | 'phone', part: Part, column: string, setting: string | undefined) {
  if (setting === undefined) {
    const own = recogniseHeader(column)?.part;
    return { part: part === contact && own?.startsWith(`${contact}_`) ? own : part };
  }
  const form = DATA_FORMATS.find(({ id }) => id.toLowerCase() === setting.toLowerCase().replaceAll('-', ''));
  if (!form) {
    const known = DATA_FORMATS.map(({ id }) => id).join(', ');
    return refuse(`The data format of ${contact} is not supported. Use one of ${known}.`);
  }
  return { part: (form.id === 'Raw' ? contact : `${contact}_${form.id.toLowerCase()}`) as Part };
}

function checkedCombination(columns: NamedColumn[], single: boolean): ColumnsResult {
  const isSingle = ({ part }: NamedColumn) => part !== null && SINGLE.has(HASHED.exec(part)?.[1] ?? part);
  if (single) {
    if (columns.some(isSingle)) {
      return { columns: columns.map((one) => (isSingle(one) ? one : { ...one, part: null })) };
    }
    return refuse(
      'Single column is enabled, but columns name no voter ID, NPI, phone, email or full address.',
    );
  }
  const parts = new Set(columns.map(({ part }) => part));
  const matches = COMBINATIONS.some((combination) => combination.every((part) => parts.has(part)));
  if (matches || columns.some(isSingle)) return { columns };
  return refuse(
    'Columns make no supported combination. Use First Name, Last Name, Zip, State; Last Name, Street Address, Zip, ' +
      'State; Street Address, Zip, State; or one of voter ID, NPI, phone, email and full address.',
  );
}

/** An object of texts, or undefined. */
function jsonTexts(json: string): Record<string, string> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const entries = Object.entries(value);
    if (entries.some(([key, text]) => typeof text !== 'string' || key.trim() === '')) return undefined;
    return Object.fromEntries(entries.map(([key, text]) => [key.trim(), String(text).trim()]));
  } catch {
    return undefined;
  }
}

function refuse(message: string): { refused: string } {
  return { refused: message };
}
