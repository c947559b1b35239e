import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { planRemoval, type RemovalFacts } from './plan-removal.js';

const CHANGES: RemovalFacts = {
  membersSent: true,
  listThere: true,
  listMade: true,
  sharers: 0,
  canRemove: true,
  canDelete: true,
  deleteTakesMembers: true,
  sendsWholeStates: false,
};
const anyFacts: fc.Arbitrary<RemovalFacts> = fc.record({
  membersSent: fc.boolean(),
  listThere: fc.boolean(),
  listMade: fc.constantFrom(true, false, null),
  sharers: fc.nat({ max: 2 }),
  canRemove: fc.boolean(),
  canDelete: fc.boolean(),
  deleteTakesMembers: fc.boolean(),
  sendsWholeStates: fc.boolean(),
});

describe('what is done about a deleted connection at its partner', () => {
  it.each([
    ['a list of the hub whose deletion takes the members', {}, { members: 'with_list', list: 'deleted' }],
    [
      'a list of the hub whose deletion may leave them',
      { deleteTakesMembers: false },
      { members: 'removed', list: 'deleted' },
    ],
    [
      'a list that was found at the partner',
      { listMade: false },
      { members: 'removed', list: 'kept', because: 'list_not_ours' },
    ],
    [
      'a list of which nobody wrote down who made it',
      { listMade: null },
      { members: 'removed', list: 'kept', because: 'list_not_ours' },
    ],
    [
      'a list that another connection sends to',
      { sharers: 1 },
      { members: 'removed', list: 'kept', because: 'list_shared' },
    ],
    ['a partner without lists', { canDelete: false }, { members: 'removed', list: 'kept' }],
    [
      'a partner that can neither remove nor delete',
      { canRemove: false, canDelete: false },
      { members: 'stay', list: 'kept', because: 'cannot_remove' },
    ],
    [
      'whole states that cannot be deleted',
      { sendsWholeStates: true, deleteTakesMembers: false },
      { members: 'replaced', list: 'deleted' },
    ],
    [
      'whole states in a list that another connection replaces',
      { sendsWholeStates: true, sharers: 1 },
      { members: 'stay', list: 'kept', because: 'list_shared' },
    ],
    ['a list that nobody was sent to', { membersSent: false }, { members: 'none', list: 'deleted' }],
    ['nothing sent', { membersSent: false, listThere: false }, { members: 'none', list: 'none' }],
  ] as const)('of %s', (_, facts, plan) => {
    expect(planRemoval({ ...CHANGES, ...facts })).toEqual(plan);
  });

  it('never deletes or replaces what others send to or the hub did not make, and says why members stay', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { members, list, because } = planRemoval(facts);
        if (list === 'deleted')
          expect([facts.listMade, facts.sharers, facts.canDelete]).toEqual([true, 0, true]);
        if (members === 'with_list') expect(list).toBe('deleted');
        if (members === 'replaced') expect(facts.sharers).toBe(0);
        if (members === 'removed') expect(facts.canRemove).toBe(true);
        if (members === 'stay') expect(because).toBeDefined();
        expect(members === 'none').toBe(!facts.membersSent);
      }),
    );
  });
});
