const LEAST_BYTES = 2 ** 18;

/** Where texts are written. */
export interface TextMemory {
  /** Memory of at least so many bytes, whatever is in it. */
  lend(bytes: number): Uint8Array<ArrayBuffer>;
  /** What was lent holds no text and is needed no more. */
  giveBack(memory: Uint8Array<ArrayBuffer>): void;
}

/** Memory that nobody had before. */
const NEW_MEMORY: TextMemory = { lend: (bytes) => new Uint8Array(bytes), giveBack: () => undefined };

/**
 * JSON in UTF-8 that grows at its end. {@link take} hands the text over in the memory that it was written in, without a
 * copy.
 */
export class JsonText {
  private bytes: Uint8Array<ArrayBuffer>;
  private length: number;

  /** @param room bytes that {@link take} can put in front of the text without moving it */
  constructor(
    private readonly memory: TextMemory = NEW_MEMORY,
    private readonly room = 0,
  ) {
    this.bytes = memory.lend(LEAST_BYTES + room);
    this.length = room;
  }

  /** What was written, between two texts that are JSON already. It is the last that is asked of this text. */
  take(front = '', back = ''): Buffer {
    const before = Buffer.from(front);
    this.add(back);
    const missing = before.length - this.room;
    if (missing > 0) {
      this.makeRoom(missing);
      this.bytes.copyWithin(this.room + missing, this.room, this.length);
      this.length += missing;
    }
    const from = missing > 0 ? 0 : -missing;
    this.bytes.set(before, from);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + from, this.length - from);
  }

  /** Adds text that is JSON already. */
  add(json: string): void {
    this.addBytes(Buffer.from(json));
  }

  /** Adds UTF-8 that is JSON already. */
  addBytes(json: Uint8Array): void {
    this.makeRoom(json.length);
    this.bytes.set(json, this.length);
    this.length += json.length;
  }

  private makeRoom(more: number): void {
    if (this.length + more > this.bytes.length) this.grow(this.length + more);
  }

  private grow(wanted: number): void {
    const larger = this.memory.lend(Math.max(wanted, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.memory.giveBack(this.bytes);
    this.bytes = larger;
  }
}
