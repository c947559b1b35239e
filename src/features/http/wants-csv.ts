/** True where a list is asked for as one CSV file: by `?format=csv`, or without a format by the Accept header. */
export function wantsCsv(format: 'csv' | 'json' | undefined, accept: string | undefined): boolean {
  return format === 'csv' || (format === undefined && accept?.startsWith('text/csv') === true);
}
