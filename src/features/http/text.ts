import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsString, Length, Matches } from 'class-validator';

/** A name people read: trimmed, 1 to 255 characters, no control characters. */
export function IsName(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value)),
    IsString(),
    Length(1, 255),
    Matches(/^\P{Cc}*$/u, { message: '$property must not hold control characters' }),
  );
}
