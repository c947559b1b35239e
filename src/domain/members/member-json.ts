import type { JsonText, RowColumn, RowsJson } from '../../kit/index.js';
import type { MemberRun } from './member-cursor.js';
import type { MemberRows } from './member-rows.js';
import { objectLayout, rowLayout, type Layout } from './writer/layout.js';
import { RunWriter, type Progress } from './writer/run-writer.js';

/** Made once a page. */
const known = new WeakMap<MemberRows, Layout>();

/** Steps of a thousand members each, which take a millisecond together. */
const STEPS_AT_ONCE = 5;

/**
 * Adds the JSON array of those members of the runs who have an identity: each the `OutputMember` of the kit.
 *
 * Written here and not by the engine, because a loop over bytes costs a tenth of string functions over columns; and by a
 * writer that is compiled, which costs a quarter of a loop in JavaScript. See ADR 0017.
 */
export function addMembers(text: JsonText, runs: readonly MemberRun[]): void {
  const progress = newProgress();
  text.add('[');
  for (const run of runs) {
    const writer = new RunWriter(run, objectLayoutOf(run.rows), progress);
    for (const { json } of writer.steps()) text.addBytes(json);
  }
  if (progress.written > 0) text.add(']}}');
  text.add(']');
}

/**
 * The rows of those members, in arrays of at most `most`: see the kit's `Batch`. Undefined where others should have their
 * turn.
 */
export function* rowsOfRuns(
  runs: readonly MemberRun[],
  columns: readonly RowColumn[],
  most: number,
  newText: () => JsonText,
): Generator<RowsJson | undefined, void> {
  const progress = newProgress();
  let data: JsonText | undefined;
  let owners: number[] = [];
  const close = (text: JsonText): RowsJson => {
    text.add(']]');
    const closed = { data: text, size: owners.length, owners };
    data = undefined;
    owners = [];
    progress.written = 0;
    return closed;
  };
  let steps = 0;
  for (const run of runs) {
    const writer = new RunWriter(run, rowLayout(run.rows, columns), progress);
    for (const { json, rowOwners } of writer.steps(most)) {
      if (rowOwners.length > 0) {
        if (data === undefined) {
          data = newText();
          data.add('[');
        }
        data.addBytes(json);
        for (const owner of rowOwners) owners.push(owner);
        if (owners.length === most) yield close(data);
      }
      steps += 1;
      if (steps % STEPS_AT_ONCE === 0) yield undefined;
    }
  }
  if (data) yield close(data);
}

function objectLayoutOf(rows: MemberRows): Layout {
  const found = known.get(rows) ?? objectLayout(rows);
  known.set(rows, found);
  return found;
}

const newProgress = (): Progress => ({ written: 0, row: 0, member: 0 });
