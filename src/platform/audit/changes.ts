import { isDeepStrictEqual } from 'node:util';
import type { AuditChanges } from '../database/index.js';

type Row = Readonly<Record<string, unknown>>;

/** Longest text that is repeated; what is longer is cut. */
const MAX_TEXT = 255;

/**
 * What became of a row's fields. Of `shown` fields the values are told; of `named` ones (settings, credentials,
 * addresses, names of people) only that they changed. Fields that stayed as they were, and all others, are left out.
 */
export function changesOf(
  before: Row | undefined,
  after: Row | undefined,
  fields: { shown?: readonly string[]; named?: readonly string[] },
): AuditChanges {
  const changes: AuditChanges = {};
  const differs = (field: string) => !isDeepStrictEqual(valueOf(before, field), valueOf(after, field));
  for (const field of (fields.shown ?? []).filter(differs)) {
    changes[field] = {
      ...(before ? { from: cut(valueOf(before, field)) } : {}),
      ...(after ? { to: cut(valueOf(after, field)) } : {}),
    };
  }
  for (const field of (fields.named ?? []).filter(differs)) {
    for (const name of namesIn(field, valueOf(before, field), valueOf(after, field)))
      changes[name] = 'changed';
  }
  return changes;
}

/** An absent value and null are the same: nothing is set. */
function valueOf(row: Row | undefined, field: string): unknown {
  return row?.[field] ?? null;
}

/** Of an object the keys that differ, of anything else the field. */
function namesIn(field: string, before: unknown, after: unknown): string[] {
  if (!isRow(before ?? {}) || !isRow(after ?? {})) return [field];
  const [one, other] = [(before ?? {}) as Row, (after ?? {}) as Row];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter((key) => !isDeepStrictEqual(valueOf(one, key), valueOf(other, key)))
    .map((key) => `${field}.${key}`);
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function cut(value: unknown): unknown {
  return typeof value === 'string' && value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
}
