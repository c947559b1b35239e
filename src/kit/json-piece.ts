const WORD_BYTES = 4;

/** Text that is JSON, for {@link JsonText.add}: ready to be copied four bytes at a time. */
export class JsonPiece {
  /** The text in UTF-8, four bytes a word, the first one lowest; behind its end there are zeros. */
  readonly words: Int32Array;
  /** Bytes of the text. */
  readonly length: number;

  constructor(text: string) {
    const bytes = Buffer.from(text);
    const filled = Buffer.alloc(Math.ceil(bytes.length / WORD_BYTES) * WORD_BYTES);
    filled.set(bytes);
    this.words = new Int32Array(filled.length / WORD_BYTES);
    for (let index = 0; index < this.words.length; index += 1) {
      this.words[index] = filled.readInt32LE(index * WORD_BYTES);
    }
    this.length = bytes.length;
  }
}
