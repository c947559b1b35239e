import { foldHeader, isKnownAttribute, recognisedFolds, recogniseHeader } from './columns.js';
import type { Part } from './rules.js';

/** Beyond this a header is text of its own, not a misspelling; also bounds the work on a line of data read as header. */
const MAX_HEADER_LENGTH = 60;

/** Columns a header is searched for near misses in: enough for every real file, nothing to wait for in a broken one. */
const SEARCHED_COLUMNS = 200;

/** A header and the field it probably means. */
export interface NearMiss {
  /** 0-based. */
  column: number;
  part: Part;
}

/** Near misses among the first columns of a header. */
export function nearMissesIn(header: readonly string[]): NearMiss[] {
  return header.slice(0, SEARCHED_COLUMNS).flatMap((cell, column) => {
    const part = nearMissOf(cell);
    return part === undefined ? [] : [{ column, part }];
  });
}

/** The field an unrecognised header probably means ("Fist Name" → first_name); undefined where none is near. */
export function nearMissOf(header: string): Part | undefined {
  if (header.length > 2 * MAX_HEADER_LENGTH) return undefined;
  const folded = foldHeader(header);
  if (folded.length > MAX_HEADER_LENGTH) return undefined;
  if (recogniseHeader(header) !== undefined || isKnownAttribute(header)) return undefined;
  let nearest: { part: Part; distance: number } | undefined;
  for (const [known, { part }] of recognisedFolds()) {
    const allowed = allowedDistance(Math.min(known.length, folded.length));
    if (Math.abs(known.length - folded.length) > allowed) continue;
    const distance = damerauLevenshtein(folded, known);
    if (distance <= allowed && (nearest === undefined || distance < nearest.distance)) {
      nearest = { part, distance };
    }
  }
  return nearest?.part;
}

/** One slip in short words, two in long ones; three letters are too few to tell a slip from another word. */
function allowedDistance(length: number): number {
  if (length <= 3) return 0;
  return length <= 7 ? 1 : 2;
}

/**
 * Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and swaps of
 * neighbours, each counting one.
 */
export function damerauLevenshtein(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let distance = Math.min(at(last, column) + 1, at(current, column - 1) + 1, at(last, column - 1) + cost);
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) distance = Math.min(distance, at(beforeLast, column - 2) + 1);
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
