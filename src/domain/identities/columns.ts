import { L2 } from './data-partners.js';
import type { Part } from './rules.js';

/** A recognised field: its name for people, and the headers it goes by, strongest first. */
interface Field {
  label: string;
  synonyms: readonly string[];
}

/**
 * Headers of the fields identities are made of: the keys of IQM's upload API (CamelCase and kebab-case), L2's
 * columns, and what customers' exports commonly say. Order is rank: where two columns name the same part of a
 * combination, the earlier synonym is used.
 *
 * Not here on purpose: a bare `id` (often a row number), and the registered voter id and VAN id (unique only
 * within a state). Each would make different people one.
 */
const FIELDS: Readonly<Record<Part, Field>> = {
  customer_id: {
    label: 'Customer ID',
    synonyms: [
      'customer_id',
      'user_id',
      'external_id',
      'external_user_id',
      'external_customer_id',
      'crm_id',
      'client_id',
      'member_id',
      'subscriber_id',
      'contact_id',
      'account_user_id',
    ],
  },
  voter_id: {
    label: 'Voter ID',
    synonyms: [
      'LALVOTERID',
      'l2-voter-id',
      'l2_id',
      'voter_id',
      'voters_id',
      'targetsmart-voter-id',
      'voterbase_id',
    ],
  },
  npi: {
    label: 'NPI',
    synonyms: ['NPI_ID_VALUE', 'npi-id', 'npi', 'npi_number', 'national_provider_identifier'],
  },
  email: {
    label: 'Email',
    synonyms: [
      'Email',
      'email_address',
      'e-mail_address',
      'mail',
      'email_raw',
      'raw_email',
      'primary_email',
      'personal_email',
    ],
  },
  email_sha256: {
    label: 'Email SHA-256',
    synonyms: [
      'email-sha256',
      'sha256_email',
      'email_hash_sha256',
      'hashed_email_sha256',
      'hashed_email',
      'email_hash',
    ],
  },
  email_sha1: { label: 'Email SHA-1', synonyms: ['email-sha1', 'sha1_email', 'email_hash_sha1'] },
  email_md5: { label: 'Email MD5', synonyms: ['email-md5', 'md5_email', 'email_hash_md5'] },
  email_sha512: { label: 'Email SHA-512', synonyms: ['email-sha512', 'sha512_email', 'email_hash_sha512'] },
  phone: {
    label: 'Phone',
    synonyms: [
      'Phone',
      'phone_number',
      'telephone',
      'tel',
      'cellphone',
      'cell_phone_number',
      'cell',
      'mobile',
      'mobile_phone',
      'mobile_number',
      'landline',
      'landline_phone',
      'home_phone',
      'preferred_phone',
      'primary_phone',
      'phone_raw',
      'VoterTelephones_CellPhoneFormatted',
      'VoterTelephones_CellphoneUnformatted',
      'VoterTelephones_LandlineFormatted',
      'VoterTelephones_LandlineUnformatted',
    ],
  },
  phone_sha256: {
    label: 'Phone SHA-256',
    synonyms: [
      'phone-sha256',
      'sha256_phone',
      'phone_hash_sha256',
      'hashed_phone_sha256',
      'hashed_phone',
      'phone_hash',
    ],
  },
  phone_sha1: { label: 'Phone SHA-1', synonyms: ['phone-sha1', 'sha1_phone', 'phone_hash_sha1'] },
  phone_md5: { label: 'Phone MD5', synonyms: ['phone-md5', 'md5_phone', 'phone_hash_md5'] },
  phone_sha512: { label: 'Phone SHA-512', synonyms: ['phone-sha512', 'sha512_phone', 'phone_hash_sha512'] },
  full_address: {
    label: 'Full Address',
    synonyms: ['FullAddress', 'Residence_FullAddress', 'complete_address', 'mailing_address_full'],
  },
  first_name: {
    label: 'First Name',
    synonyms: ['FirstName', 'Voters_FirstName', 'given_name', 'forename', 'fname'],
  },
  last_name: {
    label: 'Last Name',
    synonyms: ['LastName', 'Voters_LastName', 'family_name', 'surname', 'lname'],
  },
  street: {
    label: 'Street Address',
    synonyms: [
      'StreetAddress',
      'Residence_Addresses_AddressLine',
      'Address',
      'street',
      'address_line',
      'address_line_1',
      'address1',
      'street_address_1',
    ],
  },
  zip: {
    label: 'Zip',
    synonyms: [
      'mZip5',
      'Residence_Addresses_Zip',
      'Zip',
      'zip5',
      'zip_code',
      'postal_code',
      'postcode',
      'zipcode5',
    ],
  },
  state: {
    label: 'State',
    synonyms: ['mState', 'Residence_Addresses_State', 'State', 'state_code', 'state_name', 'us_state'],
  },
};

/** Known headers that feed no identity: kept as profile attributes, and no near miss of another field. */
const ATTRIBUTE_HEADERS = [
  'registered-voter-id',
  'van_id',
  'Voter File VANID',
  'MiddleName',
  'Voters_MiddleName',
  'Suffix',
  'Voters_NameSuffix',
  'FullName',
  'Voters_FullName',
  'Name',
  'Gender',
  'Sex',
  'Voters_Gender',
  'Age',
  'Voters_Age',
  'BirthDate',
  'dob',
  'Voters_BirthDate',
  'City',
  'Residence_Addresses_City',
  'Zip4',
  'ZipPlus4',
  'Residence_Addresses_ZipPlus4',
  'Residence_Addresses_HouseNumber',
  'Residence_Addresses_PrefixDirection',
  'Residence_Addresses_StreetName',
  'Residence_Addresses_SuffixDirection',
  'Residence_Addresses_ApartmentType',
  'Residence_Addresses_ApartmentNum',
  'Latitude',
  'Residence_Addresses_Latitude',
  'Longitude',
  'Residence_Addresses_Longitude',
  'Party',
  'Parties_Description',
  'Ethnicity',
  'Ethnic_Description',
  'Country',
  'County',
  'id',
] as const;

/** What a header says: a field, and the rank of the synonym it used (0 is the strongest). */
export interface RecognisedHeader {
  part: Part;
  rank: number;
  /** Of voter ids: the data partner that the header names. */
  partner?: string;
}

/** Headers of voter ids that say whose they are. */
const PARTNER_HEADERS: Readonly<Record<string, readonly string[]>> = {
  [L2]: ['LALVOTERID', 'l2-voter-id', 'l2_id'],
  targetsmart: ['targetsmart-voter-id', 'voterbase_id'],
};

const PARTNERS_BY_FOLD: ReadonlyMap<string, string> = new Map(
  Object.entries(PARTNER_HEADERS).flatMap(([partner, headers]) =>
    headers.map((header) => [foldHeader(header), partner] as const),
  ),
);

const PARTS_OF_FIELDS = Object.keys(FIELDS) as Part[];

const RECOGNISED: ReadonlyMap<string, RecognisedHeader> = new Map(
  PARTS_OF_FIELDS.flatMap((part) =>
    FIELDS[part].synonyms.map(
      (synonym, rank) => [foldHeader(synonym), recognised(part, rank, synonym)] as const,
    ),
  ),
);

function recognised(part: Part, rank: number, synonym: string): RecognisedHeader {
  const partner = PARTNERS_BY_FOLD.get(foldHeader(synonym));
  return { part, rank, ...(partner === undefined ? {} : { partner }) };
}

const KNOWN_ATTRIBUTES: ReadonlySet<string> = new Set(ATTRIBUTE_HEADERS.map((header) => foldHeader(header)));

/**
 * The form in which headers are compared: lower case, without white space, `_` and `-`. Composed last: some capital
 * letters have no composed form (the capital of ΐ), but their small ones do.
 */
export function foldHeader(header: string): string {
  return header
    .toLowerCase()
    .replaceAll(/[\s\u200b_-]+/g, '')
    .normalize('NFC');
}

/** The field a header names; undefined where it names none. */
export function recogniseHeader(header: string): RecognisedHeader | undefined {
  return RECOGNISED.get(foldHeader(header));
}

/** Name of a field for people: "First Name". */
export function labelOf(part: Part): string {
  return FIELDS[part].label;
}

/** Headers of all fields with their fold, for near-miss search. */
export function recognisedFolds(): Iterable<readonly [string, RecognisedHeader]> {
  return RECOGNISED;
}

/** True for headers that are known to be no identity field. */
export function isKnownAttribute(header: string): boolean {
  return KNOWN_ATTRIBUTES.has(foldHeader(header));
}
