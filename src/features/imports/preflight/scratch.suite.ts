import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileShape } from '../../../kit/index.js';
import { preflight } from './preflight.js';
import type { PreflightReport, PreflightRequest, UsableReport } from './report.js';

/** A file with header, any encoding. */
export const WITH_HEADER: FileShape = { format: 'csv', header: true, encodings: 'detect', maxBytes: 2 ** 26 };

/** One id a line, UTF-8. */
export const IDS_ONLY: FileShape = {
  format: 'csv',
  header: false,
  columns: ['customer_id'],
  encodings: 'utf-8',
  maxBytes: 2 ** 26,
};

/** A folder in which specs write files and check them. */
export class Scratch {
  private constructor(private readonly folder: string) {}

  static async open(): Promise<Scratch> {
    return new Scratch(await mkdtemp(join(tmpdir(), 'hub-preflight-')));
  }

  async request(content: string | Buffer, shape: FileShape): Promise<PreflightRequest> {
    const path = join(this.folder, 'in.csv');
    await writeFile(path, content);
    const textPath = join(this.folder, 'text.csv');
    return {
      path,
      shape,
      textPath,
      cleanPath: join(this.folder, 'clean.tsv'),
      rejectsPath: this.rejectsPath,
    };
  }

  async check(content: string | Buffer, shape: FileShape): Promise<PreflightReport> {
    return this.checkRequest(await this.request(content, shape));
  }

  checkRequest(request: PreflightRequest): Promise<PreflightReport> {
    return preflight(request, new AbortController().signal);
  }

  /** Fails where the file is refused. */
  async usable(content: string | Buffer, shape: FileShape): Promise<UsableReport> {
    const report = await this.check(content, shape);
    if (report.verdict === 'refused') throw new Error(`refused: ${JSON.stringify(report.problems)}`);
    return report;
  }

  /** Lines of the rejects file, without its header. */
  async rejects(): Promise<string[]> {
    const [header, ...lines] = (await readFile(this.rejectsPath, 'utf8')).trimEnd().split('\n');
    if (header !== 'row,column,code,message,value') throw new Error(`unexpected header: ${header}`);
    return lines;
  }

  /** The records a report makes the engine read, where they were written anew. */
  clean(): Promise<string> {
    return readFile(join(this.folder, 'clean.tsv'), 'utf8');
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  private get rejectsPath(): string {
    return join(this.folder, 'rejects.csv');
  }
}
