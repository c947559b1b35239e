/** A piece is ended when it is so large, */
const PIECE_BYTES = 16 * 2 ** 20;
/** or when it has been written for so long: what is sent slowly is safe soon, too. */
const PIECE_MS = 5000;

/**
 * The bytes of one request, cut into pieces. A request that breaks off ends its last piece, which is good: `failure`
 * has the reason. `seen` may throw to end it as well.
 */
export class PieceSource {
  /** Why there is no more, where it is not the end of the request. */
  failure: unknown;
  private readonly chunks: AsyncIterator<Buffer>;
  private next: Buffer | undefined;

  constructor(
    body: AsyncIterable<Buffer>,
    private readonly seen: (chunk: Buffer) => void,
    private readonly limits = { pieceBytes: PIECE_BYTES, pieceMs: PIECE_MS },
  ) {
    this.chunks = body[Symbol.asyncIterator]();
  }

  /** True where there is another piece, with a byte at least. */
  async more(): Promise<boolean> {
    while (this.failure === undefined && (this.next === undefined || this.next.length === 0)) {
      try {
        const { done, value } = await this.chunks.next();
        if (done === true) return false;
        this.seen(value);
        this.next = value;
      } catch (error) {
        this.failure = error;
        this.next = undefined;
      }
    }
    return this.next !== undefined;
  }

  /** The chunks of the next piece. Never throws. */
  async *piece(): AsyncGenerator<Buffer> {
    const endsAtMs = performance.now() + this.limits.pieceMs;
    let sizeBytes = 0;
    while (await this.more()) {
      const chunk = this.next;
      if (chunk === undefined) return;
      this.next = undefined;
      sizeBytes += chunk.length;
      yield chunk;
      if (sizeBytes >= this.limits.pieceBytes || performance.now() >= endsAtMs) return;
    }
  }
}
