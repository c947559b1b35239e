import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { HubError, type FieldProblem } from '../../domain/errors/index.js';

/** Checks bodies and queries against their DTO; unknown fields are refused, so that a misspelt one is not lost. */
export function validationPipe(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    transform: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => {
      const problems = errors.flatMap((error) => fieldProblems(error, ''));
      const fields = [...new Set(problems.map(({ field }) => field))].join(', ');
      return new HubError('VALIDATION_FAILED', `Not valid: ${fields}.`, problems);
    },
  });
}

/** One line per broken rule, with the dotted name of the field. */
function fieldProblems(error: ValidationError, parent: string): FieldProblem[] {
  const field = parent ? `${parent}.${error.property}` : error.property;
  const own = Object.values(error.constraints ?? {}).map((message) => ({ field, message }));
  return [...own, ...(error.children ?? []).flatMap((child) => fieldProblems(child, field))];
}
