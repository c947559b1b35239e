import { PassThrough } from 'node:stream';
import type { Request, Response } from 'express';
import type { ErasureKind } from '../../platform/database/index.js';
import { assertFile, signalOf } from '../imports/index.js';
import type { Principal } from '../tenancy/index.js';
import type { ErasureView, PeopleFileQuery } from './erasures.dto.js';
import type { ErasuresService } from './erasures.service.js';

/** Begins an erasure or suppression of everybody in the file that is the request's body. */
export async function beginWithBody(
  service: ErasuresService,
  principal: Principal,
  kind: ErasureKind,
  query: PeopleFileQuery,
  { request, response }: { request: Request; response: Response },
): Promise<ErasureView> {
  assertFile(request, response);
  const length = Number(request.headers['content-length']);
  const { workspaceId, layout = 'iqm' } = query;
  // Not the request itself: whoever stops reading in the middle would close the connection before the answer.
  const body = request.pipe(new PassThrough());
  const sent = { workspaceId, layout, sizeBytes: Number.isFinite(length) ? length : undefined, body };
  try {
    return await service.beginWithFile(principal, kind, sent, signalOf(response));
  } catch (error) {
    // The rest of a body that nobody reads is not waited for.
    response.setHeader('connection', 'close');
    throw error;
  }
}
