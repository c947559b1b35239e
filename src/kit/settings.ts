import { z } from 'zod';

const SECRET = 'x-secret';

/** A string that is encrypted at rest, never returned by the API and redacted from logs and faults. */
export function secret(description: string): z.ZodString {
  return z
    .string()
    .min(1)
    .meta({ description, [SECRET]: true });
}

/** JSON Schema of a connector's settings or credentials, for the catalogue and the console's forms. */
export function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;
}

/** Names of the fields of `schema` that are marked with {@link secret}. */
export function secretFieldsOf(schema: z.ZodType): string[] {
  const properties = (jsonSchemaOf(schema).properties ?? {}) as Record<string, Record<string, unknown>>;
  return Object.keys(properties).filter((name) => properties[name]?.[SECRET] === true);
}
