import { foldHeader } from '../identities/columns.js';
import { recogniseHeader } from '../identities/index.js';
import { STORED_FIELDS, type FileField, type ProfileField } from './partner-rule.js';

/** Headers of fields that the hub makes no identity of. */
const FILE_HEADERS: Readonly<Record<FileField, readonly string[]>> = {
  city: ['City', 'Residence_Addresses_City', 'town'],
  country: ['Country', 'country_code', 'region_code'],
  date_of_birth: ['dob', 'BirthDate', 'date_of_birth', 'Voters_BirthDate'],
  gender: ['Gender', 'Sex', 'Voters_Gender'],
  device_id: ['madid', 'maid', 'idfa', 'gaid', 'aaid', 'device_id', 'mobile_advertising_id'],
};

const FIELDS_BY_FOLD: ReadonlyMap<string, FileField> = new Map(
  Object.entries(FILE_HEADERS).flatMap(([field, headers]) =>
    headers.map((header) => [foldHeader(header), field as FileField] as const),
  ),
);

/** The field of a profile that a header names; undefined where it names none. */
export function profileFieldOf(header: string): ProfileField | undefined {
  const part = recogniseHeader(header)?.part;
  return STORED_FIELDS.find((field) => field === part) ?? FIELDS_BY_FOLD.get(foldHeader(header));
}
