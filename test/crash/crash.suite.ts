import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { IMPORT_STEPS } from '../../src/platform/database/index.js';
import { CrashRig, ROWS, type KillPlan, type Services } from './crash-rig.js';

const EXPORT_STEPS = ['fix versions', 'write archive', 'make ready', 'clear up'];

/** Where each step is killed in a run of its own, and more than these: `HUB_TEST_ALL=true`. It takes minutes. */
const ALL = process.env.HUB_TEST_ALL === 'true';

/** Runs that are killed at these steps: at one after another, or each at one. */
const eachOrAll = (steps: readonly string[]) =>
  (ALL ? steps.map((step) => [step]) : [steps]).map((some) => ({
    steps: some,
    names: some.join(', then at '),
  }));

/**
 * Kills one hub after another, each when its log says that the next of these steps begins. A hub on a busy machine may be
 * in a later step, or through, before it is dead; then the steps it came to are passed, and wait for nobody.
 */
function atSteps(message: string, steps: readonly string[]): KillPlan[] {
  let furthest = -1;
  return steps.map((_, wanted) => (hub, kill) => {
    if (furthest >= wanted) return kill();
    hub.onLine((line) => {
      if (line.msg !== message) return;
      furthest = Math.max(furthest, steps.indexOf(String(line.step)));
      if (furthest >= wanted) kill();
    });
  });
}

/** Killed before it has anything to do: what an undisturbed run ends with. */
const atOnce: KillPlan = (_, kill) => kill();

/** SIGKILL at every step of import, delivery and export; the end is the same as without. */
export function crashSuite(title: string, open: () => Promise<Services>): void {
  describe(`a hub ${title} that is killed and started again`, () => {
    let rig: CrashRig;
    let refreshed: Awaited<ReturnType<CrashRig['refresh']>>;
    let exported: Awaited<ReturnType<CrashRig['export']>>;

    beforeAll(async () => {
      rig = await CrashRig.start(await open());
      refreshed = await rig.refresh(atOnce);
      exported = await rig.export(atOnce);
    }, 300_000);
    afterAll(() => rig.close());

    it('ends with what was in the file, undisturbed', () => {
      expect(refreshed.import).toMatchObject({
        added: 500,
        removed: 500,
        rows: { read: ROWS + 1, rejected: 1 },
        waterfall: {
          rows: ROWS + 1,
          matchedBy: { email: ROWS - 500 },
          new: 500,
          duplicates: 0,
          members: ROWS,
          newProfiles: 500,
        },
      });
      expect(refreshed.members).toHaveLength(ROWS);
      expect(refreshed.partner).toHaveLength(ROWS);
      expect(exported.some((lines) => lines.length > ROWS)).toBe(true);
    });

    it.each(eachOrAll(IMPORT_STEPS))(
      'ends the same when it is killed at $names',
      async ({ steps }) => {
        expect(await rig.refresh(...atSteps('import step', steps))).toEqual(refreshed);
        expect(rig.sink.doubled).toEqual([]);
      },
      240_000,
    );

    it.each(ALL ? [1, 4, 7] : [4])(
      'ends the same when it is killed while the partner has batch %s',
      async (batch) => {
        let killed = false;
        const state = await rig.refresh((_, kill) => {
          rig.sink.failure = (number) => {
            if (killed || number < batch) return undefined;
            killed = true;
            kill();
            // The batch is taken, but nobody is there to hear it.
            return 'lost answer';
          };
        });
        expect(state).toEqual(refreshed);
        expect(rig.sink.doubled).toEqual([]);
      },
      240_000,
    );

    it.each(ALL ? [3, 6] : [3])(
      'sends under the same keys what was answered and not yet written down when it is killed before batch %s',
      async (batch) => {
        let killed = false;
        const state = await rig.refresh((_, kill) => {
          rig.sink.failure = (number) => {
            if (killed || number < batch) return undefined;
            killed = true;
            kill();
            // The batches before this one were answered. Their outcomes are written down several at a time.
            return 'reset';
          };
        });
        expect(state).toEqual(refreshed);
        expect(rig.sink.doubled).toEqual([]);
        const mpidsOf = new Map(rig.sink.batches.map(({ key, mpids }) => [key, mpids.join()]));
        for (const { key, mpids } of rig.sink.batches) expect(mpids.join()).toBe(mpidsOf.get(key));
        expect(new Set(mpidsOf.values()).size).toBe(mpidsOf.size);
        expect(rig.sink.batches.length).toBeGreaterThan(mpidsOf.size);
      },
      240_000,
    );

    it.each(ALL ? [1, 5, 11] : [5])(
      'takes everybody out of a deleted connection when it is killed while the partner has removal %s',
      async (batch) => {
        let killed = false;
        const state = await rig.remove((_, kill) => {
          rig.sink.failure = (number) => {
            if (killed || number < batch) return undefined;
            killed = true;
            kill();
            return batch === 5 ? 'reset' : 'lost answer';
          };
        });
        rig.sink.failure = () => undefined;
        expect(state).toEqual({
          rows: { planned: ROWS, accepted: ROWS, rejected: 0, skipped: 0 },
          removal: { outcome: 'removed', members: 'removed', list: 'deleted', stays: [] },
          partner: [],
        });
        expect(rig.sink.doubled).toEqual([]);
      },
      240_000,
    );

    it('takes everybody out of a deleted connection when it is killed before the list is deleted', async () => {
      let killed = false;
      const state = await rig.remove((_, kill) => {
        rig.sink.failure = (__, event) => {
          if (killed || event !== 'audience.deleted') return undefined;
          killed = true;
          kill();
          return 'lost answer';
        };
      });
      rig.sink.failure = () => undefined;
      expect(state).toMatchObject({ partner: [], removal: { outcome: 'removed' } });
      expect(rig.sink.doubled).toEqual([]);
    }, 240_000);

    it.each(eachOrAll(EXPORT_STEPS))(
      'gives the same download when it is killed at $names',
      async ({ steps }) => {
        expect(await rig.export(...atSteps('export step', steps))).toEqual(exported);
      },
      240_000,
    );
  });
}
