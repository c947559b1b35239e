import { Injectable, Param, type PipeTransform } from '@nestjs/common';
import { registerDecorator, type ValidationOptions } from 'class-validator';
import { notFound } from '../../domain/errors/index.js';

/** True for the decimal text of a signed 64-bit number, written the one way it is written. */
export function isMpid(text: unknown): text is string {
  if (typeof text !== 'string' || !/^(0|-?[1-9]\d{0,18})$/.test(text)) return false;
  return BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/** Validates a field that holds an mpid. */
export function IsMpid(options?: ValidationOptions): PropertyDecorator {
  return (target, property) =>
    registerDecorator({
      name: 'isMpid',
      target: target.constructor,
      propertyName: String(property),
      options: { message: '$property must be an mpid: a signed 64-bit number as text', ...options },
      validator: { validate: isMpid },
    });
}

@Injectable()
class MpidPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!isMpid(value)) throw notFound('profile', 'with this mpid');
    return value;
  }
}

/** The mpid in the path: `@MpidParam() mpid: string`. */
export const MpidParam = (name = 'mpid') => Param(name, new MpidPipe());
