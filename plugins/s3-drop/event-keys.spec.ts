import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { keysOfEvent } from './event-keys.js';

const IQM = { bucket: 'drop', layout: 'iqm', prefix: 'in/' } as const;
const REPRO = { bucket: 'drop', layout: 'repro' } as const;

const record = (key: string, eventName = 'ObjectCreated:Put', bucket = 'drop') => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  eventName,
  s3: { bucket: { name: bucket }, object: { key, size: 1 } },
});
const event = (...records: object[]) => ({ Records: records });

describe('the keys of an event notification', () => {
  it('are decoded as S3 encodes them, each once', () => {
    const keys = keysOfEvent(
      IQM,
      event(record('in/a/Spring+sale+%2B+%F0%9F%8E%89.csv'), record('in/b'), record('in/b')),
    );
    expect(keys).toEqual(['in/a/Spring sale + 🎉.csv', 'in/b']);
  });

  it('are found whatever the key, in what SNS and EventBridge wrap as well', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }), (name) => {
        const key = `in/${name}`;
        const encoded = encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/');
        const plain = event(record(encoded, 's3:ObjectCreated:CompleteMultipartUpload'));
        expect(keysOfEvent(IQM, plain)).toEqual([key]);
        expect(keysOfEvent(IQM, { Type: 'Notification', Message: JSON.stringify(plain) })).toEqual([key]);
        const detail = { bucket: { name: 'drop' }, object: { key } };
        const bridged = { source: 'aws.s3', 'detail-type': 'Object Created', detail };
        expect(keysOfEvent(IQM, bridged)).toEqual([key]);
      }),
    );
  });

  it('are none of deleted objects, test events, and what a listing would not show', () => {
    expect(keysOfEvent(IQM, event(record('in/a', 'ObjectRemoved:Delete')))).toEqual([]);
    expect(keysOfEvent(IQM, { Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'drop' })).toEqual([]);
    expect(keysOfEvent(IQM, event(record('out/a')))).toEqual([]);
    expect(keysOfEvent(REPRO, event(record('archive/old.csv'), record('new.csv')))).toEqual(['new.csv']);
    const deleted = {
      source: 'aws.s3',
      'detail-type': 'Object Deleted',
      detail: { bucket: { name: 'drop' }, object: { key: 'in/a' } },
    };
    expect(keysOfEvent(IQM, deleted)).toEqual([]);
  });

  it.each([
    ['nothing', null],
    ['a text', 'hello'],
    ['another message', { hello: 'world' }],
    ['another bucket', event(record('in/a', 'ObjectCreated:Put', 'other'))],
    ['a record without a key', event({ ...record('x'), s3: { bucket: { name: 'drop' }, object: {} } })],
    ['a key that is not encoded', event(record('in/%zz'))],
    ['SNS with something else', { Type: 'Notification', Message: 'hello' }],
    ['a subscription to confirm', { Type: 'SubscriptionConfirmation', SubscribeURL: 'https://example.com' }],
  ])('cannot be told of %s', (_what, message) => {
    expect(() => keysOfEvent(IQM, message)).toThrow(expect.objectContaining({ code: 'NOTICE_UNREADABLE' }));
  });

  it('are found or refused, whatever is sent', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          expect(keysOfEvent(IQM, value)).toEqual(expect.any(Array));
        } catch (error) {
          expect(error).toMatchObject({ code: 'NOTICE_UNREADABLE', kind: 'permanent' });
        }
      }),
    );
  });
});
