import type { Destination } from '../connector.js';

/** A destination that lives in memory, whole-or-nothing as the real ones. */
export class MemoryDestination implements Destination {
  readonly #objects = new Map<string, Uint8Array>();
  #writes = 0;

  /** `signal` stands for the call that writes: an aborted call writes nothing. */
  constructor(private readonly signal?: () => AbortSignal) {}

  /** Number of `put`, `concat` and `delete` calls so far. */
  get writes(): number {
    return this.#writes;
  }

  async put(key: string, body: AsyncIterable<Uint8Array> | Uint8Array | string): Promise<void> {
    const chunks: Uint8Array[] = [];
    if (typeof body === 'string' || body instanceof Uint8Array) chunks.push(Buffer.from(body));
    else for await (const chunk of body) chunks.push(chunk);
    this.#write();
    this.#objects.set(key, Buffer.concat(chunks));
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#objects.get(key));
  }

  list(prefix: string): Promise<string[]> {
    return Promise.resolve([...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort());
  }

  async delete(key: string): Promise<void> {
    this.#write();
    this.#objects.delete(key);
    return Promise.resolve();
  }

  async concat(key: string, parts: readonly string[]): Promise<void> {
    const bodies = await Promise.all(parts.map((part) => this.get(part)));
    await this.put(
      key,
      Buffer.concat(
        bodies.map((body, index) => {
          if (!body) throw new Error(`There is no part ${parts[index]} to put into ${key}.`);
          return body;
        }),
      ),
    );
  }

  /** Text of every object whose key has no segment with a leading dot, by key. */
  texts(): Record<string, string> {
    const shown = [...this.#objects].filter(([key]) => !/(?:^|\/)\./.test(key));
    return Object.fromEntries(
      shown
        .sort(([one], [other]) => one.localeCompare(other))
        .map(([key, body]) => [key, Buffer.from(body).toString()]),
    );
  }

  #write(): void {
    this.signal?.().throwIfAborted();
    this.#writes += 1;
  }
}
