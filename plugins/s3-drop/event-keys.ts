import { dropPrefixOf, fault, type DropSettings } from '../../src/kit/index.js';

type Json = Record<string, unknown>;

/**
 * The keys that an event notification says were written, as S3 sends it, alone or wrapped by SNS or EventBridge.
 * Deleted objects are passed over: the audience keeps its members.
 */
export function keysOfEvent(settings: DropSettings & { bucket: string }, message: unknown): string[] {
  const event = unwrapped(message);
  if (event.Event === 's3:TestEvent') return [];
  const changes = Array.isArray(event.Records)
    ? event.Records.map((record) => changeOfRecord(record))
    : [changeOfEventBridge(event)];
  const keys = changes.flatMap((change) => {
    if (change.bucket !== settings.bucket)
      throw unreadable('It names another bucket than that of this input.');
    return change.written ? [change.key] : [];
  });
  return [...new Set(keys)].filter((key) => isListed(settings, key));
}

interface Change {
  bucket: string;
  key: string;
  written: boolean;
}

/** SNS puts the event into a text. */
function unwrapped(message: unknown): Json {
  const event = recordOf(message);
  if (event.Type !== 'Notification' || typeof event.Message !== 'string') return event;
  try {
    return recordOf(JSON.parse(event.Message));
  } catch {
    throw unreadable('The message that SNS wrapped is no JSON.');
  }
}

function changeOfRecord(value: unknown): Change {
  const record = recordOf(value);
  const { bucket, object } = recordOf(record.s3);
  const name = textOf(record.eventName).replace(/^s3:/, '');
  return {
    bucket: textOf(recordOf(bucket).name),
    key: decoded(textOf(recordOf(object).key)),
    written: name.startsWith('ObjectCreated:'),
  };
}

/** EventBridge does not encode keys. */
function changeOfEventBridge(event: Json): Change {
  if (event.source !== 'aws.s3') throw unreadable('It has neither Records nor the source aws.s3.');
  const { bucket, object } = recordOf(event.detail);
  return {
    bucket: textOf(recordOf(bucket).name),
    key: textOf(recordOf(object).key),
    written: event['detail-type'] === 'Object Created',
  };
}

/** Keys in S3's own events are encoded as in forms: a blank is a plus. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    throw unreadable('Its key is not encoded as S3 does it.');
  }
}

/** What a listing would not show is not looked at either. */
function isListed(settings: DropSettings, key: string): boolean {
  const prefix = dropPrefixOf(settings);
  if (!key.startsWith(prefix)) return false;
  return settings.layout !== 'repro' || !key.slice(prefix.length).includes('/');
}

function recordOf(value: unknown): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw unreadable('A part of it is missing.');
}

function textOf(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw unreadable('A part of it is missing.');
}

function unreadable(reason: string) {
  return fault.permanent(
    'NOTICE_UNREADABLE',
    `The message is no event notification of S3. ${reason} Expected the JSON of S3, SNS or EventBridge.`,
  );
}
