/** Column combinations that an upload is matched by; a single column is enough by itself. */
export const COLUMN_COMBINATIONS = [
  { id: 1, columns: ['FirstName', 'LastName', 'mState', 'mZip5'], isSingleColumn: false },
  { id: 2, columns: ['LastName', 'StreetAddress', 'mState', 'mZip5'], isSingleColumn: false },
  { id: 3, columns: ['StreetAddress', 'mState', 'mZip5'], isSingleColumn: false },
  { id: 4, columns: ['NPI_ID_VALUE'], isSingleColumn: true },
  { id: 5, columns: ['LALVOTERID'], isSingleColumn: true },
  { id: 6, columns: ['Phone'], isSingleColumn: true },
  { id: 7, columns: ['Email'], isSingleColumn: true },
  { id: 8, columns: ['FullAddress'], isSingleColumn: true },
] as const;

/** How the values of a phone or e-mail column are written. `id` is what `columnSettings` names. */
export const DATA_FORMATS = [
  { id: 'Raw', name: 'Raw' },
  { id: 'MD5', name: 'MD5' },
  { id: 'SHA1', name: 'SHA-1' },
  { id: 'SHA256', name: 'SHA-256' },
  { id: 'SHA512', name: 'SHA-512' },
] as const;

/** Whose ids a voter or NPI column holds. `id` is what `columnSettings` names. */
export const DATA_PARTNERS = [
  { id: 'lalvoterid', name: 'L2', column: 'Voters_ID' },
  { id: 'voterbase_id', name: 'TargetSmart', column: 'Voters_ID' },
  { id: 'healthcare_id', name: 'National Provider Identifier', column: 'NPI_ID' },
] as const;

/** The states of a matched audience, with IQM's ids. */
export const AUDIENCE_STATUSES = [
  { id: 1, name: 'Processing' },
  { id: 2, name: 'Pending' },
  { id: 3, name: 'Ready' },
  { id: 4, name: 'Rejected' },
  { id: 6, name: 'Failed' },
  { id: 7, name: 'Fetching Data' },
  { id: 8, name: 'Data Fetched' },
] as const;

/** Name of one of {@link AUDIENCE_STATUSES}. */
export type AudienceStatus = (typeof AUDIENCE_STATUSES)[number]['name'];
