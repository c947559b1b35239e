import { Injectable, Param, type PipeTransform } from '@nestjs/common';
import { notFound } from '../../domain/errors/index.js';

@Injectable()
class SuppressionIdPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!/^[0-9a-f]{32}$/.test(value)) throw notFound('suppression', 'with this id');
    return value;
  }
}

/** The entry in the path: 32 hexadecimal digits. */
export const SuppressionIdParam = () => Param('id', new SuppressionIdPipe());
