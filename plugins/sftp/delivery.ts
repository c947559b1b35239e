import { posix } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Batch, fault, type PartnerAudience } from '../../src/kit/index.js';
import { DEFAULT_TEMPLATES, type FileFacts, namesEachVersion, pathOf } from './file-name.js';
import { NoteBook, type Notes } from './notes.js';
import type { Remote } from './remote.js';
import { headerOf, rowsOf, type Sheet } from './rows.js';
import type { SftpContext } from './settings.js';

const EXTENSIONS = { comma: 'csv', tab: 'tsv', pipe: 'psv' } as const;
const zip = promisify(gzip);

/** The files of one connection. Every call may be cut off anywhere and made again. */
export class ConnectionFiles {
  readonly #ctx: SftpContext;
  readonly #remote: Remote;
  readonly #notes: NoteBook;
  /** Where a file grows until it is whole. */
  readonly #draft: string;

  constructor(ctx: SftpContext, remote: Remote) {
    this.#ctx = ctx;
    this.#remote = remote;
    const own = posix.join(ctx.settings.directory, `.hub-${ctx.connectionId}`);
    this.#notes = new NoteBook(remote, `${own}.json`);
    this.#draft = `${own}.part`;
  }

  /** Writes a file of changes. */
  async writeChanges(operation: 'add' | 'remove', audience: PartnerAudience, batch: Batch): Promise<void> {
    const { fromVersion, toVersion, id: batchId } = batch;
    const notes = await this.#notes.about(`v${fromVersion}-v${toVersion}`, this.#ctx.now());
    if (await this.#wasMoved(notes, batchId)) return;
    await this.#remote.makeFolderOf(this.#draft);
    await this.#remote.write(this.#draft, await this.#contentOf(operation, audience, batch, true));
    const facts = { operation, fromVersion, toVersion, batchId, at: new Date(notes.at) };
    await this.#publish(notes, batchId, this.#pathOf(audience, facts));
  }

  /** Writes a part of a whole state behind the parts before it. */
  async writePart(audience: PartnerAudience, batch: Batch, part: number): Promise<void> {
    const notes = await this.#notes.about(`v${batch.toVersion}`, this.#ctx.now());
    const start = part === 0 ? 0 : notes.ends[part - 1];
    if (start === undefined) throw this.#partsMissing(batch.toVersion);
    if (part === 0) await this.#remote.makeFolderOf(this.#draft);
    else if (((await this.#remote.sizeOf(this.#draft)) ?? 0) < start)
      throw this.#partsMissing(batch.toVersion);
    const content = await this.#contentOf('add', audience, batch, part === 0);
    await this.#remote.write(this.#draft, content, start);
    const { delivery, at, ends } = notes;
    await this.#notes.keep({ delivery, at, ends: [...ends.slice(0, part), start + content.byteLength] });
  }

  /** Gives the whole state its name. */
  async finishWhole(audience: PartnerAudience, whole: { toVersion: number; parts: number }): Promise<void> {
    const { toVersion, parts } = whole;
    const delivery = `v${toVersion}`;
    const notes = await this.#notes.about(delivery, this.#ctx.now());
    if (await this.#wasMoved(notes, delivery)) return;
    if (parts === 0) {
      await this.#remote.makeFolderOf(this.#draft);
      await this.#remote.write(this.#draft, await this.#packed(headerOf(this.#sheet)));
    } else await this.#cutToSize(notes.ends[parts - 1], toVersion);
    const facts = { operation: 'members', fromVersion: 0, toVersion, at: new Date(notes.at) } as const;
    await this.#publish(notes, delivery, this.#pathOf(audience, facts));
  }

  /** Takes away what is the hub's own, and the file with the current members where its name is always the same. */
  async forget(audience: PartnerAudience): Promise<void> {
    await this.#remote.delete(this.#draft);
    await this.#notes.forget();
    if (this.#ctx.settings.content !== 'members' || namesEachVersion(this.#template)) return;
    const facts = { operation: 'members', fromVersion: 0, toVersion: 0, at: this.#ctx.now() } as const;
    await this.#remote.delete(this.#pathOf(audience, facts));
  }

  /** The note comes before the renaming: where it is there and the draft is not, the file was renamed. */
  async #publish(notes: Notes, moving: string, path: string): Promise<void> {
    await this.#remote.makeFolderOf(path);
    await this.#notes.keep({ ...notes, moving });
    await this.#remote.move(this.#draft, path);
  }

  async #wasMoved({ moving }: Notes, wanted: string): Promise<boolean> {
    return moving === wanted && (await this.#remote.sizeOf(this.#draft)) === undefined;
  }

  /** A part that was written twice may have left bytes behind the end. */
  async #cutToSize(end: number | undefined, toVersion: number): Promise<void> {
    const size = await this.#remote.sizeOf(this.#draft);
    if (end === undefined || size === undefined || size < end) throw this.#partsMissing(toVersion);
    if (size > end) await this.#remote.truncate(this.#draft, end);
  }

  async #contentOf(operation: 'add' | 'remove', audience: PartnerAudience, batch: Batch, header: boolean) {
    const facts = { audience: audience.name, operation, version: batch.toVersion };
    const rows = await rowsOf(this.#sheet, batch.members, facts);
    return this.#packed(header ? headerOf(this.#sheet) + rows : rows);
  }

  /** Packed parts put together are a packed file: gzip is made so. */
  #packed(text: string): Promise<Buffer> {
    const body = Buffer.from(text);
    return this.#ctx.settings.compression === 'gzip' ? zip(body) : Promise.resolve(body);
  }

  #pathOf(audience: PartnerAudience, facts: Omit<FileFacts, 'audience'>): string {
    const { directory, delimiter, compression } = this.#ctx.settings;
    const name = pathOf(this.#template, { audience: this.#ctx.connection.name ?? audience.name, ...facts });
    return posix.join(directory, `${name}.${EXTENSIONS[delimiter]}${compression === 'gzip' ? '.gz' : ''}`);
  }

  get #sheet(): Sheet {
    const { settings, attributes = [] } = this.#ctx;
    return { ...settings, attributes };
  }

  get #template(): string {
    const { fileName, content } = this.#ctx.settings;
    return fileName ?? DEFAULT_TEMPLATES[content];
  }

  #partsMissing(toVersion: number) {
    return fault.config(
      'PARTS_MISSING',
      `Parts of version ${toVersion} are not in ${this.#draft} any more. Was it deleted while the delivery ran? ` +
        'Keep others away from files that begin with .hub-, and send the version again.',
    );
  }
}
