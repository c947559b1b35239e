import { describe, expect, it } from '@jest/globals';
import { buildManifest } from './manifest.js';

describe('the manifest of an export', () => {
  it('has exactly the promised fields, in order, and its sums', () => {
    const manifest = buildManifest({
      archiveName: 'Audiences_204223Jan022019_9dd9.zip',
      exportId: '9dd9b6dc-f0ec-4acf-8b18-f3a357afe1c3',
      audienceIds: [8754, 8755],
      includedIdentities: ['customer_id', 'email', 'phone'],
      generatedAt: new Date('2019-01-02T21:06:20.021Z'),
      files: [
        {
          fileName: 'a.csv',
          minTimestampMs: 20,
          maxTimestampMs: 30,
          totalUsers: 15,
          rowsByIdentity: { email: 3, customer_id: 15 },
        },
        { fileName: 'b.csv', minTimestampMs: 10, maxTimestampMs: 25, totalUsers: 0, rowsByIdentity: {} },
      ],
    });
    expect(JSON.stringify(manifest)).toBe(
      JSON.stringify({
        archive_name: 'Audiences_204223Jan022019_9dd9.zip',
        id: '9dd9b6dc-f0ec-4acf-8b18-f3a357afe1c3',
        audience_ids: [8754, 8755],
        included_identities: ['customer_id', 'email', 'phone'],
        manifest_generated: '2019-01-02T21:06:20.0210000Z',
        min_timestamp_ms: 10,
        max_timestamp_ms: 30,
        total_rows: 18,
        rows_by_identity: { customer_id: 15, email: 3, phone: 0 },
        files: [
          {
            file_name: 'a.csv',
            min_timestamp_ms: 20,
            max_timestamp_ms: 30,
            total_users: 15,
            total_rows: 18,
            rows_by_identity: { customer_id: 15, email: 3, phone: 0 },
          },
          {
            file_name: 'b.csv',
            min_timestamp_ms: 10,
            max_timestamp_ms: 25,
            total_users: 0,
            total_rows: 0,
            rows_by_identity: { customer_id: 0, email: 0, phone: 0 },
          },
        ],
      }),
    );
  });
});
