import { HubError, type ErrorCode } from '../../../domain/errors/index.js';
import { movedOn } from './resumable-uploads.service.js';

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'BAD_REQUEST',
  // What tus answers with 403 is a header that is missing; the hub's 403 is about keys.
  403: 'BAD_REQUEST',
  404: 'NOT_FOUND',
  409: 'WRONG_STATE',
  410: 'GONE',
  412: 'TUS_VERSION_UNSUPPORTED',
  413: 'BODY_TOO_LARGE',
  501: 'BAD_REQUEST',
};

const MESSAGES: Partial<Record<ErrorCode, string>> = {
  TUS_VERSION_UNSUPPORTED:
    'Send the header Tus-Resumable: 1.0.0, the version of the protocol that the hub speaks.',
  BODY_TOO_LARGE: 'More bytes than the upload, or its input, takes. Begin one with the right Upload-Length.',
};

/** What the tus library refuses, as the hub's API says it; undefined for what is no refusal. */
export function refusalOf(status: number, body: string): HubError | undefined {
  const code = CODES[status];
  if (code === undefined) return undefined;
  // A request that was asked to stop for another one, and one that is at another place.
  if (code === 'WRONG_STATE' || /aborted/i.test(body)) return movedOn();
  return new HubError(
    code,
    MESSAGES[code] ?? `${body.trim().replace(/\.?$/, '.')} See https://tus.io/protocols.`,
  );
}
