import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { keysOfEvent } from '../plugins/s3-drop/event-keys.js';
import { packageRoot } from '../src/platform/package-root.js';

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource?: string | string[];
}

const text = readFileSync(join(packageRoot, 'docs', 's3.md'), 'utf8');
const blocks = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(
  (match) => JSON.parse(match[1] ?? '') as Record<string, unknown>,
);
const statements = blocks.flatMap((block): Statement[] => {
  if (Array.isArray(block.Statement)) return block.Statement as Statement[];
  return 'Effect' in block ? [block as unknown as Statement] : [];
});

describe('the templates of docs/s3.md', () => {
  it('are JSON, of which most are policies', () => {
    expect(blocks).toHaveLength(9);
    expect(statements).toHaveLength(9);
  });

  it('allow what the hub calls, and nothing that writes to a bucket', () => {
    const actions = new Set(statements.flatMap(({ Action }) => Action));
    expect([...actions].toSorted()).toEqual([
      'kms:Decrypt',
      's3:GetObject',
      's3:ListBucket',
      'sqs:DeleteMessage',
      'sqs:ReceiveMessage',
      'sqs:SendMessage',
      'sts:AssumeRole',
    ]);
    for (const { Effect } of statements) expect(Effect).toBe('Allow');
  });

  it('put actions on buckets on the bucket, and those on objects on its objects', () => {
    for (const { Action, Resource } of statements) {
      if (Action === 's3:ListBucket') expect(Resource).toMatch(/^arn:aws:s3:::[a-z-]+$/);
      if (Action === 's3:GetObject') expect(Resource).toMatch(/^arn:aws:s3:::[a-z-]+\/.*\*$/);
    }
  });

  it('let a role be taken on only with an external id', () => {
    const trusts = statements.filter((one) => one.Action === 'sts:AssumeRole' && !one.Resource);
    expect(trusts).toEqual([
      expect.objectContaining({
        Condition: { StringEquals: { 'sts:ExternalId': expect.any(String) } },
      }),
    ]);
  });

  it('have EventBridge send what the hub reads', () => {
    const pattern = blocks.find((block) => 'detail-type' in block) as Record<string, string[]>;
    const event = {
      source: pattern.source?.[0],
      'detail-type': pattern['detail-type']?.[0],
      detail: { bucket: { name: 'drop-bucket' }, object: { key: 'a.csv' } },
    };
    expect(keysOfEvent({ bucket: 'drop-bucket', layout: 'repro' }, event)).toEqual(['a.csv']);
  });
});
