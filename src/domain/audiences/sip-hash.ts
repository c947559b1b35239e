const MASK = 0xffff_ffff_ffff_ffffn;
const WORD_BYTES = 8;

/** The four words of SipHash with the key 0, which is what the engine's `sipHash64` has. */
const START = [0x736f6d6570736575n, 0x646f72616e646f6dn, 0x6c7967656e657261n, 0x7465646279746573n] as const;

/** SipHash-2-4 of bytes, as the engine's `sipHash64(String)`: an unsigned 64-bit number. */
export function sipHash64(bytes: Uint8Array): bigint {
  const state = new SipState();
  const whole = bytes.length - (bytes.length % WORD_BYTES);
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < whole; at += WORD_BYTES) state.take(view.readBigUInt64LE(at));
  // The last word: what is left over, and the length in its highest byte.
  let last = BigInt(bytes.length & 0xff) << 56n;
  for (let at = whole; at < bytes.length; at += 1)
    last |= BigInt(view.readUInt8(at)) << BigInt(8 * (at - whole));
  state.take(last);
  return state.end();
}

/** What the engine makes of `sipHash64(text, int64)`: the hash of the two hashes side by side. */
export function sipHash64OfPair(text: string, number: bigint): bigint {
  const pair = Buffer.alloc(2 * WORD_BYTES);
  const own = Buffer.alloc(WORD_BYTES);
  own.writeBigInt64LE(number);
  pair.writeBigUInt64LE(sipHash64(Buffer.from(text)), 0);
  pair.writeBigUInt64LE(sipHash64(own), WORD_BYTES);
  return sipHash64(pair);
}

class SipState {
  #v0: bigint = START[0];
  #v1: bigint = START[1];
  #v2: bigint = START[2];
  #v3: bigint = START[3];

  take(word: bigint): void {
    this.#v3 ^= word;
    this.#round();
    this.#round();
    this.#v0 ^= word;
  }

  end(): bigint {
    this.#v2 ^= 0xffn;
    for (let round = 0; round < 4; round += 1) this.#round();
    return this.#v0 ^ this.#v1 ^ this.#v2 ^ this.#v3;
  }

  #round(): void {
    this.#v0 = (this.#v0 + this.#v1) & MASK;
    this.#v1 = rotated(this.#v1, 13n) ^ this.#v0;
    this.#v0 = rotated(this.#v0, 32n);
    this.#v2 = (this.#v2 + this.#v3) & MASK;
    this.#v3 = rotated(this.#v3, 16n) ^ this.#v2;
    this.#v0 = (this.#v0 + this.#v3) & MASK;
    this.#v3 = rotated(this.#v3, 21n) ^ this.#v0;
    this.#v2 = (this.#v2 + this.#v1) & MASK;
    this.#v1 = rotated(this.#v1, 17n) ^ this.#v2;
    this.#v2 = rotated(this.#v2, 32n);
  }
}

function rotated(word: bigint, bits: bigint): bigint {
  return ((word << bits) | (word >> (64n - bits))) & MASK;
}
