import { defineConfig } from 'drizzle-kit';

/** `npm run migrations` compares the schema with migrations/ and writes the next one. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/platform/database/schema/!(index).ts',
  out: './migrations',
  casing: 'snake_case',
});
