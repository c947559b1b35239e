import type { AsyncLocalStorage } from 'node:async_hooks';
import type { Readable } from 'node:stream';
import { DataStore, Upload } from '@tus/server';
import type { UploadRow } from '../upload-records.js';
import type { ResumableUploads } from './resumable-uploads.service.js';

/** What the store knows of the request that it serves. */
export interface TusWrite {
  /** Settles when all that came is written down; the error is why no more came. Never rejects. */
  written?: Promise<unknown>;
}

/**
 * The hub's uploads as the tus library sees them. Where a line breaks, the library goes on before the store has
 * written down what came: so the next request at the upload waits for that here, and the answer does as well.
 */
export class TusStore extends DataStore {
  override extensions = [
    'creation',
    'creation-with-upload',
    'creation-defer-length',
    'termination',
    'expiration',
  ];

  private readonly writing = new Map<string, Promise<unknown>>();

  constructor(
    private readonly uploads: ResumableUploads,
    private readonly requests: AsyncLocalStorage<TusWrite>,
  ) {
    super();
  }

  /** The row is made before, where it is known who asks. */
  override create(upload: Upload): Promise<Upload> {
    return Promise.resolve(upload);
  }

  override async getUpload(id: string): Promise<Upload> {
    await this.writing.get(id);
    return uploadOf(await this.uploads.require(id));
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    const appending = this.uploads.append(id, offset, stream as AsyncIterable<Buffer>);
    const written = appending.then(
      () => undefined,
      (error: unknown) => error,
    );
    this.writing.set(id, written);
    const request = this.requests.getStore();
    if (request) request.written = written;
    try {
      return (await appending).offsetBytes;
    } finally {
      if (this.writing.get(id) === written) this.writing.delete(id);
    }
  }

  override async declareUploadLength(id: string, length: number): Promise<void> {
    await this.uploads.declare(id, length);
  }

  override async remove(id: string): Promise<void> {
    await this.uploads.terminate(id);
  }

  /** Renewed with every piece, which the library knows nothing of: the hub writes the header itself. */
  override getExpiration(): number {
    return 0;
  }
}

function uploadOf({ id, receivedBytes, declaredBytes, metadata }: UploadRow): Upload {
  return new Upload({
    id,
    offset: receivedBytes,
    ...(declaredBytes === null ? {} : { size: declaredBytes }),
    ...(metadata === null ? {} : { metadata }),
  });
}
