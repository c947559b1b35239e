import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { HubError } from '../../domain/errors/index.js';
import { ConnectorError, type PushedFile, type WebhookHead } from '../../kit/index.js';
import { EgressClient } from '../../platform/http/index.js';
import type { DryRunResult } from '../imports/index.js';
import { IntakeService, type OpenUpload, type TakenUpload, type UploadedFile } from '../intake/index.js';
import { Accounts } from './accounts.js';
import { readPush, type PushParts } from './push-body.js';
import { Senders, type Sender } from './senders.js';

/** What came of a push, and the name of its audience where that was read. */
export type Pushed = TakenUpload & { audienceName?: string };

/** What would come of one that was sent with `?dryRun=true`. */
export interface Looked {
  audienceName: string;
  preflight: DryRunResult;
}

/** Requests that are received at once in this process: each may fill the disk before it is known whose it is. */
const MAX_OPEN = 32;

/**
 * Serves webhooks of inputs: keeps the file aside while it comes, asks the plugin who sent it and what becomes of
 * it, and only then has an import made. A request of nobody leaves nothing behind.
 */
@Injectable()
export class HooksService {
  private open = 0;

  constructor(
    private readonly senders: Senders,
    private readonly accounts: Accounts,
    private readonly intake: IntakeService,
    private readonly http: EgressClient,
  ) {}

  /** @param left aborts when the sender waits no longer: what is being fetched for him is of no use then. */
  async receive(path: string, request: Request, left: AbortSignal): Promise<Pushed | Looked> {
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, left]);
    const head = headOf(request);
    if (this.open >= MAX_OPEN) {
      throw new HubError(
        'TOO_MANY_REQUESTS',
        `${MAX_OPEN} files are received already. Send it a little later.`,
      );
    }
    this.open += 1;
    try {
      const senders = await this.senders.of(path, head, signal);
      return await this.received(path, request, head, senders, signal);
    } finally {
      this.open -= 1;
      ended.abort();
    }
  }

  private async received(
    path: string,
    request: Request,
    head: WebhookHead,
    senders: readonly Sender[],
    signal: AbortSignal,
  ): Promise<Pushed | Looked> {
    const [first] = senders;
    if (first === undefined) throw new Error('There is no sender.');
    const proven = first.identity.verifier === undefined;
    const { workspaceId } = first.input;
    const isDryRun = head.query.dryRun === 'true';
    // What is only looked at stands in nobody's way: the same request may be sent in earnest afterwards.
    const requestId = proven && !isDryRun ? first.identity.requestId : undefined;
    const opened = await this.intake.open({
      input: first.input,
      workspaceId,
      ...(requestId === undefined ? {} : { requestId }),
    });
    if ('taken' in opened) return opened.taken;
    const { upload } = opened;
    let sender = proven ? first : undefined;
    let name: string | undefined;
    try {
      const maxBytes = Math.max(...senders.map(({ trigger, ready }) => trigger.maxBytes(ready.settings)));
      const finish = await readPush(request, upload, maxBytes, (chunk) => {
        for (const { identity } of senders) identity.verifier?.update(chunk);
      });
      sender ??= this.senders.verified(path, senders);
      if (!proven) {
        const before = await this.intake.claim(upload, claimOf(sender, isDryRun));
        if (before !== undefined) return before;
      }
      const parts = await finish();
      name = (parts.fields.name ?? head.query.name)?.slice(0, 512);
      const { audienceName, file } = await this.fileOf(upload, sender, head, parts, signal);
      if (isDryRun) {
        const preflight = await this.intake.look(upload, sender.input, file, signal);
        await upload.forget();
        return { audienceName, preflight };
      }
      return { ...(await this.intake.take(upload, sender.input, file)), audienceName };
    } catch (error) {
      if (sender === undefined || isDryRun) await upload.forget();
      else await this.intake.refused(upload, error, name);
      throw error;
    } finally {
      upload.close();
    }
  }

  /** What the plugin makes of the request, with its bytes in the upload. */
  private async fileOf(
    upload: OpenUpload,
    { input, ready, trigger }: Sender,
    head: WebhookHead,
    parts: PushParts,
    signal: AbortSignal,
  ): Promise<{ audienceName: string; file: UploadedFile }> {
    let file: PushedFile;
    try {
      file = await trigger.receive(ready.context(signal), { ...head, ...parts });
    } catch (error) {
      throw asRefusal(error);
    }
    const workspaceId = await this.accounts.workspaceOf(input, file.workspace);
    if (file.url !== undefined) await this.fetch(upload, file.url, file.shape.maxBytes, signal);
    const { key, audienceName, shape } = file;
    const onUnknown = input.onUnknown ?? file.onUnknown;
    const kind = file.segmented === true ? { kind: 'segmented' as const } : {};
    return { audienceName, file: { workspaceId, key, audienceName, shape, onUnknown, ...kind } };
  }

  private async fetch(upload: OpenUpload, url: string, maxBytes: number, signal: AbortSignal): Promise<void> {
    try {
      const { status, body } = await this.http.download(url, signal);
      try {
        if (status !== 200) throw new HubError('PUSH_REFUSED', `The URL answered ${status}; expected 200.`);
        await upload.write(body, maxBytes);
      } finally {
        body.on('error', () => undefined).destroy();
      }
    } catch (error) {
      throw signal.aborted ? senderLeft(error) : asRefusal(error);
    }
  }
}

function senderLeft(cause: unknown): HubError {
  const message = 'The sender left before the file at the URL was fetched. Nothing was taken; send it again.';
  return new HubError('MALFORMED_BODY', message, undefined, { cause });
}

function claimOf({ input, identity: { requestId } }: Sender, isDryRun: boolean) {
  const { id: inputId, workspaceId } = input;
  return { inputId, workspaceId, ...(requestId === undefined || isDryRun ? {} : { requestId }) };
}

/** Faults of what was sent are told to the sender; everything else is the hub's own affair. */
function asRefusal(error: unknown): unknown {
  if (!(error instanceof ConnectorError)) return error;
  const code = error.code === 'EGRESS_REFUSED' ? 'ADDRESS_REFUSED' : 'PUSH_REFUSED';
  return new HubError(code, `${error.message} (${error.code})`);
}

function headOf(request: Request): WebhookHead {
  const texts = (given: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(given).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
  return { headers: texts(request.headers), query: texts(request.query) };
}
