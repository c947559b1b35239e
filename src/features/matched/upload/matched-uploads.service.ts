import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { HubError } from '../../../domain/errors/index.js';
import { formatOf } from '../../../domain/files/index.js';
import type { FileShape } from '../../../kit/index.js';
import { matchedUploads, sources, type Transaction } from '../../../platform/database/index.js';
import { readForm, type FormFile } from '../../http/index.js';
import { insertAudience, type DryRunResult } from '../../imports/index.js';
import {
  countedRecords,
  IntakeService,
  RecordCounter,
  UploadInputs,
  type OpenUpload,
  type UploadedFile,
  type UploadInput,
} from '../../intake/index.js';
import type { Caller } from '../caller.guard.js';
import { readAddRequest, type AddRequest } from './add-request.js';
import type { Request } from 'express';

/** A file in the file store that waits for what is said of it. */
interface StoredFile {
  upload: OpenUpload;
  name: string;
  format: FileShape['format'];
}

/** Makes matched audiences of uploaded files. */
@Injectable()
export class MatchedUploads {
  constructor(
    private readonly intake: IntakeService,
    private readonly inputs: UploadInputs,
  ) {}

  /** Takes the form in, and returns the number of the audience that is made of it. */
  async add(caller: Caller, request: Request): Promise<number> {
    const input = await this.inputs.of(caller.workspaceId);
    const { fields, file } = await readForm(request, input.maxBytes, (one) => this.store(caller, input, one));
    if (file === undefined) throw badRequest('File can not be null.');
    try {
      return await this.take(caller, input, file, fields);
    } catch (error) {
      throw await this.intake.refused(file.upload, error);
    } finally {
      file.upload.close();
    }
  }

  /** Says what would come of the form, and makes nothing of it. */
  async look(caller: Caller, request: Request, signal: AbortSignal): Promise<DryRunResult> {
    const input = await this.inputs.of(caller.workspaceId);
    const { fields, file } = await readForm(request, input.maxBytes, (one) => this.store(caller, input, one));
    if (file === undefined) throw badRequest('File can not be null.');
    try {
      const asked = readAddRequest(fields);
      if ('refused' in asked) throw badRequest(asked.refused);
      // An upload makes an audience of its own: there is none yet, and no key of one.
      const looked = uploadedFile(caller, input, 0, file.format, asked);
      return await this.intake.look(file.upload, input.row, looked, signal);
    } finally {
      await file.upload.forget();
      file.upload.close();
    }
  }

  /** The same for a file that came in another way. */
  async addStream(
    caller: Caller,
    input: UploadInput,
    file: FormFile,
    fields: Readonly<Record<string, string>>,
  ): Promise<number> {
    const stored = await this.store(caller, input, file);
    try {
      return await this.take(caller, input, stored, fields);
    } catch (error) {
      throw await this.intake.refused(stored.upload, error);
    } finally {
      stored.upload.close();
    }
  }

  private async store(caller: Caller, input: UploadInput, { name, body }: FormFile): Promise<StoredFile> {
    const opened = await this.intake.open({ input: input.row, workspaceId: caller.workspaceId });
    if ('taken' in opened) throw new Error('An upload without a request id cannot be a repetition.');
    const { upload } = opened;
    const counter = new RecordCounter(input.maxRecords);
    const counted = Readable.from(countedRecords(body, counter), { objectMode: false });
    // What goes wrong is told by the reading of it.
    counted.on('error', () => undefined);
    try {
      await upload.write(counted, input.maxBytes);
      return { upload, name, format: formatOf(name, counter.start) };
    } catch (error) {
      upload.close();
      throw await this.intake.refused(upload, error);
    }
  }

  private async take(
    caller: Caller,
    input: UploadInput,
    file: StoredFile,
    fields: Readonly<Record<string, string>>,
  ): Promise<number> {
    const asked = readAddRequest(fields);
    if ('refused' in asked) throw badRequest(asked.refused);
    let audienceId = 0;
    await this.intake.take(file.upload, input.row, async (tx) => {
      audienceId = await this.makeAudience(tx, caller, input, file.name, asked);
      return uploadedFile(caller, input, audienceId, file.format, asked);
    });
    return audienceId;
  }

  /** The audience, its source and what was said of it: with the import in one transaction, or none of them. */
  private async makeAudience(
    tx: Transaction,
    { workspaceId, organization, principal }: Caller,
    input: UploadInput,
    fileName: string,
    asked: AddRequest,
  ): Promise<number> {
    const approval = organization.uploadApproval === 'manual' ? ('needed' as const) : null;
    const made = await insertAudience(tx, {
      workspaceId,
      name: asked.audienceName,
      kind: 'matched',
      approval,
    });
    if ('full' in made) throw new HubError('LIMIT_REACHED', made.full.message);
    const audienceId = made.audience.id;
    const { columns, metadata, fileTotalCount, isSingleColumn } = asked;
    await tx
      .insert(sources)
      .values({ inputId: input.row.id, key: sourceKey(audienceId), revision: '', audienceId });
    await tx.insert(matchedUploads).values({
      audienceId,
      fileName,
      columns,
      columnSettings: asked.columnSettings ?? null,
      metadata,
      fileTotalCount,
      isSingleColumn,
      userName: principal.name,
      userNumber: principal.user?.number ?? null,
    });
    return audienceId;
  }
}

const sourceKey = (audienceId: number): string => `matched/${audienceId}`;

function uploadedFile(
  { workspaceId }: Caller,
  input: UploadInput,
  audienceId: number,
  format: FileShape['format'],
  asked: AddRequest,
): UploadedFile {
  const { maxBytes, maxRecords, keepFileDays } = input;
  return {
    workspaceId,
    key: sourceKey(audienceId),
    audienceName: asked.audienceName,
    kind: 'matched',
    shape: {
      format,
      header: true,
      encodings: 'detect',
      maxBytes,
      maxRows: maxRecords,
      mapping: asked.named.map(({ column, part, partner }) => ({
        column,
        field: part,
        ...(partner === undefined ? {} : { partner }),
      })),
    },
    onUnknown: 'create',
    declaredRows: asked.fileTotalCount,
    keepDays: keepFileDays,
  };
}

function badRequest(message: string): HubError {
  return new HubError('BAD_REQUEST', message);
}
