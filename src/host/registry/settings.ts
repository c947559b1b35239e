import type { z } from 'zod';

/** One field that does not fit. `path` is dotted, empty for the whole; `message` never quotes the value. */
export interface SettingsProblem {
  path: string;
  message: string;
}

/** Thrown where settings or credentials do not fit the plugin's schema. */
export class InvalidSettingsError extends Error {
  override readonly name = 'InvalidSettingsError';

  constructor(
    readonly pluginId: string,
    readonly part: 'settings' | 'credentials' | 'connectionSettings',
    readonly problems: readonly SettingsProblem[],
  ) {
    const list = problems.map(({ path, message }) => `${path || part}: ${message}`).join('; ');
    super(`The ${part} of plugin ${pluginId} are not valid. ${list}`);
  }
}

/** `raw` as the schema's output; unknown fields are refused, so that a misspelt one is not lost. */
export function parseWith<S extends z.ZodObject>(
  pluginId: string,
  part: InvalidSettingsError['part'],
  schema: S,
  raw: unknown,
): z.output<S> {
  const parsed = schema.safeParse(raw ?? {}, { reportInput: false });
  const problems = [
    ...unknownFields(schema, raw),
    ...(parsed.success ? [] : parsed.error.issues.map(problemOf)),
  ];
  if (!parsed.success || problems.length > 0) throw new InvalidSettingsError(pluginId, part, problems);
  return parsed.data;
}

function unknownFields(schema: z.ZodObject, raw: unknown): SettingsProblem[] {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return [];
  // A schema that says what becomes of further fields has decided for itself.
  if (schema.def.catchall !== undefined) return [];
  const known = Object.keys(schema.shape);
  const expected = known.length > 0 ? `the fields are ${known.join(', ')}` : 'there are no fields';
  return Object.keys(raw)
    .filter((field) => !known.includes(field))
    .map((field) => ({ path: field.slice(0, 100), message: `is not known; ${expected}` }));
}

function problemOf(issue: z.core.$ZodIssue): SettingsProblem {
  return { path: issue.path.join('.'), message: issue.message };
}
