import { z } from 'zod';
import type { Remote } from './remote.js';

const notes = z.object({
  /** Which delivery this is about: another one starts with empty notes. */
  delivery: z.string(),
  /** When it began, as ISO 8601: names of files say this and not the time of a retry. */
  at: z.iso.datetime(),
  /** What the file under work is, once nothing but its renaming is left. */
  moving: z.string().optional(),
  /** Of a whole state: where each part ends, in bytes. */
  ends: z.array(z.int().nonnegative()).default([]),
});

/** What a connection must remember on the server between two calls, so that a repeated call repeats no file. */
export type Notes = z.output<typeof notes>;

/** The notes of one connection, in a file that begins with a dot. A plugin holds no state of its own. */
export class NoteBook {
  constructor(
    private readonly remote: Remote,
    private readonly path: string,
  ) {}

  /** The notes about `delivery`; new ones that say `now` where there are none. */
  async about(delivery: string, now: Date): Promise<Notes> {
    const kept = await this.read();
    return kept?.delivery === delivery ? kept : { delivery, at: now.toISOString(), ends: [] };
  }

  async keep(kept: Notes): Promise<void> {
    await this.remote.write(this.next, Buffer.from(JSON.stringify(kept)));
    await this.remote.move(this.next, this.path);
  }

  async forget(): Promise<void> {
    await this.remote.delete(this.path);
    await this.remote.delete(this.next);
  }

  private async read(): Promise<Notes | undefined> {
    // A server that cannot rename over a file may have been left with the new notes only.
    const body = (await this.remote.read(this.path)) ?? (await this.remote.read(this.next));
    return body && parsed(body.toString('utf8'));
  }

  private get next(): string {
    return `${this.path}.new`;
  }
}

function parsed(text: string): Notes | undefined {
  try {
    return notes.parse(JSON.parse(text));
  } catch {
    // Torn by a crash: as good as none.
    return undefined;
  }
}
