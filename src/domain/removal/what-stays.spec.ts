import { describe, expect, it } from '@jest/globals';
import { whatStays } from './index.js';

const NOTHING_SHARED = { sharedWith: [] };

describe('what stays at a partner after a removal', () => {
  it('is nothing where nothing had been sent, whatever else is known', () => {
    const remains = { sharedWith: ['c2'], leaves: 'Profiles stay.', refused: 3 };
    expect(whatStays({ members: 'none', list: 'none' }, remains)).toEqual([]);
  });

  it('is told also where there is no list, but members', () => {
    const remains = { sharedWith: [], leaves: 'Profiles stay.', refused: 1 };
    expect(whatStays({ members: 'removed', list: 'none' }, remains)).toHaveLength(2);
  });

  it('is nothing where members and list go', () => {
    expect(whatStays({ members: 'removed', list: 'deleted' }, NOTHING_SHARED)).toEqual([]);
    expect(
      whatStays({ members: 'with_list', list: 'deleted', because: 'list_gone' }, NOTHING_SHARED),
    ).toEqual([]);
  });

  it('is everybody where the output can take nobody out', () => {
    expect(
      whatStays({ members: 'stay', list: 'kept', because: 'cannot_remove' }, NOTHING_SHARED).join(),
    ).toMatch(/^Everybody who was sent: .* Delete it there\.$/);
  });

  it('is who belongs to others of the list, which are named', () => {
    const one = whatStays(
      { members: 'removed', list: 'kept', because: 'list_shared' },
      { sharedWith: ['c2'] },
    );
    expect(one).toEqual(['The list, and in it the members of connection c2.']);
    const two = whatStays(
      { members: 'removed', list: 'kept', because: 'list_shared' },
      { sharedWith: ['c2', 'c3'] },
    );
    expect(two).toEqual(['The list, and in it the members of connections c2, c3.']);
    const replaced = whatStays(
      { members: 'stay', list: 'kept', because: 'list_shared' },
      { sharedWith: ['c2'] },
    );
    expect(replaced).toEqual([
      'Everybody who was sent, until the next delivery of connection c2, which replaces the same list whole.',
    ]);
  });

  it('is a list that the hub has not made, without the members', () => {
    expect(
      whatStays({ members: 'removed', list: 'kept', because: 'list_not_ours' }, NOTHING_SHARED).join(),
    ).toMatch(/^The list, without the members: /);
    // A list that nobody was sent to.
    expect(
      whatStays({ members: 'none', list: 'kept', because: 'list_not_ours' }, NOTHING_SHARED),
    ).toHaveLength(1);
  });

  it('is whom the partner refused to take out, and what the plugin says, where somebody was taken out', () => {
    const remains = { sharedWith: [], leaves: 'Profiles stay.', refused: 2 };
    expect(whatStays({ members: 'removed', list: 'deleted' }, remains)).toEqual([
      'The partner refused to take out 2 members; the outcomes of the delivery say whom and why.',
      'Profiles stay.',
    ]);
    expect(whatStays({ members: 'removed', list: 'deleted' }, { ...remains, refused: 0 })).toEqual([
      'Profiles stay.',
    ]);
    expect(whatStays({ members: 'none', list: 'deleted' }, { ...remains, refused: 0 })).toEqual([]);
  });
});
