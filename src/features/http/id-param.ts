import { Injectable, Param, ParseUUIDPipe, type PipeTransform } from '@nestjs/common';
import { notFound } from '../../domain/errors/index.js';

/** An id that cannot exist is answered like one that does not. */
function pipe(what: string): ParseUUIDPipe {
  return new ParseUUIDPipe({ exceptionFactory: () => notFound(what, 'with this id') });
}

/** The UUID in the path: `@IdParam('output') id: string`. `what` names it in the 404. */
export const IdParam = (what: string, name = 'id') => Param(name, pipe(what));

@Injectable()
class AudienceIdPipe implements PipeTransform<string, number> {
  transform(value: string): number {
    const id = /^[1-9]\d{0,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(id)) throw notFound('audience', 'with this id');
    return id;
  }
}

/** The audience's number in the path: `@AudienceIdParam() id: number`. */
export const AudienceIdParam = (name = 'id') => Param(name, new AudienceIdPipe());
