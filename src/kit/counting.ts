/** What the number of an output's `count` means, and how near to the hub's own it has to be. */
export interface Counting {
  /**
   * `members`, unless set: everybody who was taken. `identities`: values, each once, so that a person with two
   * addresses is two. `matched`: people of its own whom the partner found among the members; fewer are usual.
   */
  of?: 'members' | 'identities' | 'matched';
  /** Share of the hub's own count that the partner's may be off, for counts that are approximate. Default 0. */
  toleranceShare?: number;
  /** The same as a number, for partners that round. The larger of both holds. Default 0. */
  toleranceCount?: number;
  /** For how long after a change the count may not show it. Default 0. */
  lagMs?: number;
}
