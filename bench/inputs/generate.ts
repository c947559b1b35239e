import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { createChdbConnection } from 'chdb/connection';
import { serveParent } from '../process/program.js';

/** Lines numbered `first` to `first + count - 1`; the same numbers always make the same lines. */
export interface GenerateRequest {
  kind: 'ids' | 'people' | 'households' | 'leads' | 'wide';
  path: string;
  first: number;
  count: number;
}

/** What one line holds, and the header above all, by kind. Ids have 30 bytes and come in no order. */
const LINES = {
  ids: { header: '', line: "substring(lower(hex(sipHash128('id', number))), 1, 30)" },
  people: {
    header: 'customer_id,email',
    line: "concat('customer-', toString(number), ',person-', toString(number), '@example.com')",
  },
  // Two people have an e-mail each: whose a row is takes more than looking up what it holds.
  households: {
    header: 'customer_id,email',
    line: "concat('customer-', toString(number), ',household-', toString(intDiv(number, 2)), '@example.com')",
  },
  // Two identities of five fields: what an ads partner finds people by.
  leads: {
    header: 'email,FirstName,LastName,mState,mZip5',
    line: "concat('person-', toString(number), '@example.com,ann,', translate(toString(number), '0123456789', 'abcdefghij'), ',NY,', leftPad(toString(10001 + number % 4000), 5, '0'))",
  },
  // 206 bytes: five million are a little less than a gigabyte.
  wide: {
    header: 'email,note',
    line: "concat('person-', leftPad(toString(number), 8, '0'), '@example.com,', repeat('x', 177))",
  },
} as const;

type Connection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>;

async function generate(
  client: ClickHouseClient,
  { kind, path, first, count }: GenerateRequest,
): Promise<void> {
  const { header, line } = LINES[kind];
  const head = header === '' ? '' : `SELECT '${header}' AS line UNION ALL `;
  await client.command({
    query: `INSERT INTO FUNCTION file('${path}', 'TSVRaw', 'line String')
      SELECT line FROM (${head}SELECT ${line} AS line FROM numbers(${first}, ${count}))
      SETTINGS max_threads = 1, max_insert_threads = 1, engine_file_truncate_on_insert = 1`,
  });
}

const connection = createChdbConnection({ path: ':memory:' });
const client = createClient({ connection: connection as unknown as Connection });
serveParent((request: GenerateRequest) => generate(client, request));
