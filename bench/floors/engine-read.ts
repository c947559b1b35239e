import { createClient } from '@clickhouse/client';
import { createChdbConnection } from 'chdb/connection';
import { serveParent } from '../process/program.js';

/** Reads the CSV at `path` to its end, every cell of it. Answers seconds. */
export interface ReadRequest {
  path: string;
}

type Connection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>;

const connection = createChdbConnection({ path: ':memory:' });
const client = createClient({ connection: connection as unknown as Connection });

serveParent(async ({ path }: ReadRequest): Promise<number> => {
  const beganMs = performance.now();
  const query = `SELECT count(), sum(cityHash64(*)) FROM file('${path}', 'CSVWithNames')`;
  await (await client.query({ query, format: 'JSONEachRow' })).json();
  return (performance.now() - beganMs) / 1000;
});
