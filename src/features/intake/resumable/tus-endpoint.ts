import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { Server } from '@tus/server';
import type { Request as HttpRequest, Response as HttpResponse } from 'express';
import { HubError } from '../../../domain/errors/index.js';
import { refuseRest } from '../../http/index.js';
import { WorkspaceScope, type Principal } from '../../tenancy/index.js';
import { UploadInputs, type UploadInput } from '../upload-inputs.js';
import { ResumableFinish } from './resumable-finish.service.js';
import { ResumableUploads } from './resumable-uploads.service.js';
import { readNotes, type SenderNotes } from './sender-notes.js';
import { TakeoverLocker } from './takeover-locker.js';
import { refusalOf } from './tus-errors.js';
import { TusStore, type TusWrite } from './tus-store.js';

/** Where the tus protocol is spoken. */
export const TUS_PATH = '/api/v1/uploads/tus';

/** What a request that is stopped for another one has to write down what came. */
const DRAIN_MS = 500;
/** Of the answers of the library, those that are of the protocol; what it says of CORS is not the hub's. */
const PROTOCOL = /^(?:tus-|upload-|location$)/;

/** A request on its way through the library. */
interface Call extends TusWrite {
  principal: Principal;
  target?: { notes: SenderNotes; input: UploadInput };
  id?: string;
  error?: unknown;
}

/** Speaks tus 1.0 over the hub's resumable uploads. */
@Injectable()
export class TusEndpoint {
  private readonly server: Server;
  private readonly calls = new AsyncLocalStorage<Call>();

  constructor(
    private readonly uploads: ResumableUploads,
    private readonly finish: ResumableFinish,
    private readonly inputs: UploadInputs,
    private readonly scope: WorkspaceScope,
  ) {
    this.server = new Server({
      path: TUS_PATH,
      relativeLocation: true,
      datastore: new TusStore(uploads, this.calls),
      locker: new TakeoverLocker(),
      lockDrainTimeout: DRAIN_MS,
      namingFunction: (_request, metadata) => this.named(this.call, metadata),
      maxSize: (_request, id) => this.maxBytes(this.call, id),
      onUploadCreate: async (_request, upload) => {
        const { target } = this.call;
        if (target === undefined) throw new Error('An upload was made before it was named.');
        await this.uploads.begin({
          id: upload.id,
          workspaceId: target.input.row.workspaceId,
          inputId: target.input.row.id,
          audienceName: target.notes.audienceName,
          declaredBytes: upload.size,
          metadata: upload.metadata ?? {},
        });
        return {};
      },
      onUploadFinish: async (_request, { id }) => {
        // Not the request's signal: what is whole is brought to its end, whether somebody waits for it or not.
        await this.finish.finish(id, new AbortController().signal);
        return {};
      },
      onResponseError: (_request, error) => {
        this.call.error = error;
        return undefined;
      },
    });
  }

  /** Answers a request; returns the id of the upload that it is about. Throws what it is refused with. */
  async handle(
    principal: Principal,
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<string | undefined> {
    response.setHeader('tus-resumable', '1.0.0');
    const call: Call = { principal };
    const asked = asWebRequest(request, response);
    const answer = await this.calls.run(call, () => this.server.handleWeb(asked));
    const failure = await call.written;
    const error = failure instanceof HubError ? failure : call.error;
    if (error instanceof Error && !isLibrarys(error)) throw error;
    if (answer.status >= 400) {
      if (answer.status === 412) response.setHeader('tus-version', '1.0.0');
      throw (
        refusalOf(answer.status, await answer.text()) ?? error ?? new Error('tus failed without a reason')
      );
    }
    response.status(answer.status);
    for (const [name, value] of answer.headers) if (PROTOCOL.test(name)) response.setHeader(name, value);
    return call.id;
  }

  /** Reads what the sender says, and for whom it is; the upload gets its id. */
  private async named(call: Call, metadata: Record<string, string | null> | undefined): Promise<string> {
    const notes = readNotes(metadata);
    const { scope } = call.principal;
    const workspaceId = notes.workspaceId ?? (scope.kind === 'workspace' ? scope.workspaceId : undefined);
    if (workspaceId === undefined || !UUID.test(workspaceId)) {
      const message = 'workspaceId must be the id of the workspace: this API key reaches more than one';
      throw new HubError('VALIDATION_FAILED', 'The Upload-Metadata of the upload does not fit.', [
        { field: 'workspaceId', message },
      ]);
    }
    const workspace = await this.scope.requireWorkspace(call.principal, workspaceId);
    call.target = { notes, input: await this.inputs.of(workspace.id) };
    call.id = randomUUID();
    return call.id;
  }

  private async maxBytes(call: Call, id: string | null): Promise<number> {
    if (call.target) return call.target.input.maxBytes;
    if (id === null) return 0;
    const { maxBytes } = await this.uploads.limitsOf(await this.uploads.require(id));
    return maxBytes;
  }

  private get call(): Call {
    const call = this.calls.getStore();
    if (call === undefined) throw new Error('A request came into the library by another way.');
    return call;
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Errors of the library carry their own status. */
function isLibrarys(error: Error): boolean {
  return 'status_code' in error;
}

/**
 * The request as the library reads it. The body goes over a stream of its own: whoever stops reading in the middle
 * would close the connection before the answer.
 */
function asWebRequest(request: HttpRequest, response: HttpResponse): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string') headers.set(name, value);
  }
  const { method } = request;
  const url = new URL(request.originalUrl, 'http://hub.invalid');
  if (method !== 'POST' && method !== 'PATCH') return new Request(url, { method, headers });
  const body = request.pipe(new PassThrough());
  const broken = () => {
    if (!request.complete) body.destroy(new Error('The connection ended before the body did.'));
  };
  request.once('close', broken).once('error', broken);
  response.once('finish', () => request.unpipe(body));
  refuseRest(request, response);
  const stream = Readable.toWeb(body) as ReadableStream<Uint8Array>;
  return new Request(url, { method, headers, body: stream, duplex: 'half' });
}
