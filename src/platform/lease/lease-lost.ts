/** Thrown where a lease was lost: somebody else may be at the same work, so stop before the next write. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}
