import * as fc from 'fast-check';
import { FAILINGS, type Failing } from './moods.js';
import { SIM_PLUGINS, type SimPlugin } from './partner-kinds.js';
import { PEOPLE } from './people.js';

export const AUDIENCES = 3;

/** How a file differs from the one before it of the same audience. */
const FILE_CHANGES = ['churn', 'fresh', 'same', 'teach', 'few'] as const;
export type FileChange = (typeof FILE_CHANGES)[number] | 'many' | 'fewer';

/** By what a person is named who wants to leave. */
export type LeaverNamedBy = 'customer_id' | 'email' | 'phone' | 'mpid';

/**
 * What may happen. `pick` chooses among what there is when the step comes: numbers mean the same in every run with
 * the same seed, and a step that has nothing to do does nothing.
 */
export type Step =
  | { do: 'import'; audience: number; change: FileChange; seed: number }
  | { do: 'work'; hints: number }
  | { do: 'sweep'; ms: number }
  | { do: 'wait'; ms: number }
  | { do: 'fail'; plugin: SimPlugin; fails: Failing; applied: boolean; calls: number; after: number }
  | { do: 'refuse'; person: number; how: 'row' | 'batch' | 'no more' }
  | { do: 'delete list'; pick: number }
  | { do: 'mend' }
  | { do: 'resume'; pick: number }
  | { do: 'pause'; pick: number }
  | { do: 'activate'; pick: number }
  | { do: 'plan'; pick: number }
  | { do: 'apply'; pick: number }
  | {
      do: 'connect';
      audience: number;
      plugin: SimPlugin;
      pick: number;
      active: boolean;
      shared: boolean;
      tells: boolean;
      /** However many there are. */
      needed?: boolean;
    }
  /** Whether attributes go with members. */
  | { do: 'tell'; pick: number | SimPlugin; tells: boolean }
  | { do: 'disconnect'; pick: number }
  | { do: 'test'; audience: number; share: number }
  | { do: 'end test'; audience: number }
  | { do: 'rename'; audience: number; name: number }
  | { do: 'reconcile'; pick: number; backfill: boolean }
  | { do: 'lose members'; pick: number; isSeen: boolean }
  | { do: 'days'; turns: number; fails: number }
  | { do: 'meet'; pick: number; after: number; seed: number; ends: boolean }
  | { do: 'export'; audience: number; pick: number; both: boolean }
  | { do: 'leave'; audience: number; pick: number; kind: 'erase' | 'suppress'; by: LeaverNamedBy }
  | { do: 'kill'; calls: number; unheard: boolean; alone: boolean; keepsHints: boolean }
  | { do: 'stall' }
  | { do: 'wake'; pick: number }
  | { do: 'leases run out' }
  | { do: 'lose hints' }
  | { do: 'check' };

export const SECOND_MS = 1000;
const pick = fc.nat(1000);
const audience = fc.nat(AUDIENCES - 1);
const MOSTLY = fc.constantFrom(true, true, true, false);
const RARELY = fc.constantFrom(true, false, false, false);
const plugin = fc.constantFrom(...SIM_PLUGINS);

function step<K extends Step['do']>(
  weight: number,
  name: K,
  more: {
    [F in Exclude<keyof Extract<Step, { do: K }>, 'do' | 'needed'>]: fc.Arbitrary<
      Extract<Step, { do: K }>[F]
    >;
  },
) {
  const arbitrary = fc.record({ do: fc.constant(name), ...more }) as unknown as fc.Arbitrary<Step>;
  return { weight, arbitrary };
}

/** Somebody who is not added again within them is forgotten. */
const DAYS = { turns: fc.integer({ min: 7, max: 9 }), fails: fc.nat(4) };

/** Two connections of one list have something to say at the same time; the first is held up after some calls. */
const MEETING = { pick, after: fc.nat(3), seed: fc.nat(1_000_000), ends: RARELY };

const ANY_STEP = fc.oneof(
  step(30, 'import', {
    audience,
    change: fc.constantFrom('churn', 'churn', 'churn', 'teach', 'teach', ...FILE_CHANGES),
    seed: fc.nat(1_000_000),
  }),
  step(150, 'work', { hints: fc.integer({ min: 1, max: 3 }) }),
  step(50, 'sweep', { ms: fc.constantFrom(0, SECOND_MS, 60 * SECOND_MS, 600 * SECOND_MS) }),
  step(160, 'wait', { ms: fc.integer({ min: 0, max: 120 * SECOND_MS }) }),
  step(140, 'fail', {
    plugin,
    fails: fc.constantFrom(...FAILINGS),
    applied: fc.boolean(),
    calls: fc.integer({ min: 1, max: 9 }),
    after: fc.constantFrom(0, 0, 1, 2, 3, 4),
  }),
  step(80, 'refuse', {
    person: fc.nat(PEOPLE - 1),
    how: fc.constantFrom('row', 'row', 'row', 'batch', 'no more', 'no more'),
  }),
  step(8, 'delete list', { pick }),
  step(30, 'mend', {}),
  step(60, 'resume', { pick }),
  step(30, 'pause', { pick }),
  step(50, 'activate', { pick }),
  step(20, 'plan', { pick }),
  step(30, 'apply', { pick }),
  step(40, 'connect', {
    audience,
    plugin,
    pick,
    active: fc.boolean(),
    shared: MOSTLY,
    tells: fc.boolean(),
  }),
  step(10, 'tell', { pick, tells: MOSTLY }),
  step(10, 'disconnect', { pick }),
  step(10, 'test', { audience, share: fc.integer({ min: 10, max: 60 }) }),
  step(3, 'end test', { audience }),
  step(10, 'rename', { audience, name: pick }),
  step(15, 'reconcile', { pick, backfill: fc.boolean() }),
  step(10, 'lose members', { pick, isSeen: MOSTLY }),
  step(1, 'days', DAYS),
  step(2, 'meet', MEETING),
  step(12, 'export', { audience, pick, both: fc.boolean() }),
  step(10, 'leave', {
    audience,
    pick,
    kind: fc.constantFrom('erase', 'erase', 'suppress'),
    by: fc.constantFrom('customer_id', 'email', 'phone', 'mpid'),
  }),
  step(20, 'kill', {
    calls: fc.integer({ min: 1, max: 90 }),
    unheard: fc.boolean(),
    alone: fc.boolean(),
    keepsHints: fc.boolean(),
  }),
  step(15, 'stall', {}),
  step(25, 'wake', { pick }),
  step(15, 'leases run out', {}),
  step(10, 'lose hints', {}),
);

/** A check after so many steps. */
export const CHECK_EVERY = 250;

const NEEDED = { do: 'connect', pick: 0, active: true, tells: false, needed: true } as const;

/**
 * What comes before a check, the last of it first: a list of a partner that forgets, with somebody in nearly every slice,
 * one that two audiences share, and one that nobody else has. An audience that no file has made yet cannot be connected,
 * so files of both come first. One partner is told attributes that most of its members came without: it is sent
 * everybody again, which would mend what was lost at the others. Each fails amidst the first of it.
 */
const BEFORE_CHECK: readonly Step[] = [
  { do: 'work', hints: 40 },
  { do: 'fail', plugin: 'sim-jobs', fails: 'status 500', applied: false, calls: 2, after: 3 },
  { do: 'fail', plugin: 'sim-list', fails: 'status 500', applied: false, calls: 2, after: 3 },
  { do: 'tell', pick: 'sim-list', tells: true },
  { ...NEEDED, audience: 0, plugin: 'sim-list', shared: false },
  { ...NEEDED, audience: 0, plugin: 'sim-jobs', shared: true },
  { ...NEEDED, audience: 1, plugin: 'sim-jobs', shared: true },
  { ...NEEDED, audience: 2, plugin: 'sim-jobs', shared: false },
  { do: 'import', audience: 0, change: 'many', seed: 1 },
  { do: 'work', hints: 40 },
  { do: 'import', audience: 1, change: 'churn', seed: 1 },
  { do: 'import', audience: 0, change: 'churn', seed: 1 },
];

/**
 * What comes after a check, when nothing is wrong yet: a day and more, and connections that share a list. Whoever was
 * answered late comes to their end before they meet again, or nobody could be first the second time.
 */
const AFTER_CHECK: readonly Step[] = [
  { do: 'tell', pick: 'sim-list', tells: false },
  { do: 'days', turns: 7, fails: 0 },
  { do: 'meet', pick: 0, after: 0, seed: 1, ends: false },
  { do: 'import', audience: 0, change: 'fewer', seed: 1 },
  { do: 'wake', pick: 0 },
  { do: 'meet', pick: 0, after: 0, seed: 2, ends: true },
];

/** The steps of a world: the same for the same seed. */
export function drawSteps(seed: number, count: number): Step[] {
  const drawn = fc.sample(ANY_STEP, { seed, numRuns: count });
  return drawn.map((one, index) => {
    if ((index + 1) % CHECK_EVERY === 0 || index + 1 === count) return { do: 'check' };
    const left = CHECK_EVERY - 1 - (index % CHECK_EVERY);
    if (left <= BEFORE_CHECK.length) return BEFORE_CHECK[left - 1] ?? one;
    return (index >= CHECK_EVERY && AFTER_CHECK[index % CHECK_EVERY]) || one;
  });
}
