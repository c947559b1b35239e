import { finished, type Readable } from 'node:stream';
import { Busboy } from '@fastify/busboy';
import type { Request } from 'express';
import { HubError } from '../../domain/errors/index.js';

type Parser = InstanceType<typeof Busboy>;

const FIELD_BYTES = 2 ** 20;
const MAX_FIELDS = 50;
/** Boundaries and headers of the parts. */
const FORM_BYTES = 4 * FIELD_BYTES;

/** A file of a form while it is received. */
export interface FormFile {
  name: string;
  body: Readable;
}

/**
 * Reads a multipart form part by part. `takeFile` gets the file called `file` as a stream, wherever it stands among
 * the fields, and must read it to its end or throw; then the rest is not read. Fields that come twice: the first counts.
 *
 * @param maxBytes of the file; a form that announces more is refused before it is read
 */
export async function readForm<T>(
  request: Request,
  maxBytes: number,
  takeFile: (file: FormFile) => Promise<T>,
): Promise<{ fields: Record<string, string>; file: T | undefined }> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes + FORM_BYTES) throw tooLarge(maxBytes);
  const parser = openParser(request);
  const fields: Record<string, string> = {};
  let taking: Promise<T> | undefined;
  let open: Readable | undefined;
  const failed = new Promise<never>((_, reject) => {
    parser.on('field', (name, value, _cutName, cut) => {
      if (cut) reject(malformed('A field of the form is longer than 1 MiB.'));
      else if (!Object.hasOwn(fields, name)) fields[name] = value;
    });
    parser.on('fieldsLimit', () => reject(malformed(`The form has more than ${MAX_FIELDS} fields.`)));
    parser.on('filesLimit', () => reject(malformed('The form has more than one file.')));
    parser.on('file', (name, body, fileName) => {
      if (name !== 'file') {
        body.resume();
        reject(malformed('The file of the form must be in the field "file".'));
        return;
      }
      open = body;
      // Whoever reads it hears of it by the reading; without a listener it would end the process.
      body.on('error', () => undefined);
      taking = takeFile({ name: fileName, body });
      taking.catch(reject);
    });
  });
  // Looked at below; what comes after the form's end is nobody's matter.
  failed.catch(() => undefined);
  try {
    await Promise.race([piped(request, parser), failed]);
    return { fields, file: await taking };
  } catch (error) {
    const reason = error instanceof HubError ? error : cutShort(error);
    // The one who reads the file hears of it first, and clears up what it stored.
    open?.destroy(reason);
    request.unpipe(parser);
    await taking?.catch(() => undefined);
    throw reason;
  }
}

/** `pipeline` would close the connection on an error, and nobody could be told of it. */
function piped(request: Request, parser: Parser): Promise<void> {
  return new Promise((resolve, reject) => {
    parser.once('finish', resolve);
    parser.once('error', reject);
    finished(request, (error) => {
      if (error) reject(error);
    });
    request.pipe(parser);
  });
}

function openParser(request: Request): Parser {
  const contentType = request.headers['content-type'] ?? '';
  if (!/^multipart\/form-data\b/i.test(contentType)) {
    throw new HubError('MEDIA_TYPE_UNSUPPORTED', 'The body must be form data (multipart/form-data).');
  }
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: { fieldSize: FIELD_BYTES, fields: MAX_FIELDS, files: 1, parts: MAX_FIELDS + 1 },
      highWaterMark: 2 ** 18,
      fileHwm: 2 ** 18,
    });
  } catch {
    throw malformed('The form names no boundary.');
  }
}

function malformed(message: string): HubError {
  return new HubError('MALFORMED_BODY', message);
}

function cutShort(cause: unknown): HubError {
  return new HubError('MALFORMED_BODY', 'The form ended before it was whole. Send it again.', undefined, {
    cause,
  });
}

function tooLarge(maxBytes: number): HubError {
  return new HubError('BODY_TOO_LARGE', `The file is larger than the ${maxBytes} bytes that are taken.`);
}
