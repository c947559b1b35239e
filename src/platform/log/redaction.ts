/** Names of fields that are never written, in any spelling that the hub or a library uses. */
const SECRET_FIELDS = [
  'authorization',
  'Authorization',
  'proxyAuthorization',
  'cookie',
  'Cookie',
  'credentials',
  'secret',
  'secretKey',
  'secretAccessKey',
  'sessionToken',
  'password',
  'token',
  'accessToken',
  'refreshToken',
  'apiKey',
  'adminKey',
  'signature',
];

const HEADER_FIELDS = ['["set-cookie"]', '["x-api-key"]', '["proxy-authorization"]', '["x-hub-signature"]'];

/** Redaction paths for pino: each secret field on the top level and up to three levels below it. */
export const REDACTED_PATHS: string[] = ['', '*.', '*.*.', '*.*.*.'].flatMap((depth) => [
  ...SECRET_FIELDS.map((field) => `${depth}${field}`),
  ...HEADER_FIELDS.map((field) => `${depth.replace(/\.$/, '')}${field}`),
]);

/** What is written in the place of a secret. */
export const REDACTED = '[redacted]';
