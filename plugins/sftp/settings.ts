import { z } from 'zod';
import { IDENTITY_TYPES, isIdentityType, type OutputContext, secret } from '../../src/kit/index.js';
import { templateProblem } from './file-name.js';
import { isHashType } from './hash-type.js';

export const MAX_MEMBERS_PER_FILE = 100_000;
export const DEFAULT_MEMBERS_PER_FILE = 50_000;

/** What a column may hold besides identities. */
export const PLAIN_SOURCES = ['mpid', 'audience', 'operation', 'version', 'text'] as const;
/** Columns of files with a row per identity. */
export const IDENTITY_SOURCES = ['identity_type', 'identity_value'] as const;

const column = z.object({
  header: z.string().min(1).max(255).meta({ description: 'Name in the header line' }),
  from: z
    .enum([...PLAIN_SOURCES, ...IDENTITY_SOURCES, ...IDENTITY_TYPES])
    .meta({ description: 'What the column holds: an identity type, or another source' }),
  encoding: z
    .enum(['raw', 'md5', 'sha1', 'sha256'])
    .default('raw')
    .meta({ description: 'How an identity is written; hashes are lower-case hex' }),
  text: z.string().max(255).optional().meta({ description: 'What every row holds, where `from` is text' }),
});

const fingerprint = z
  .string()
  .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'must be a fingerprint as `ssh-keygen -lf` shows it: SHA256:…');

export const settings = z
  .object({
    host: z
      .string()
      .trim()
      .regex(/^[A-Za-z0-9._:-]+$/, 'must be a host name or an address, without sftp://')
      .meta({ description: 'Host name of the SFTP server' }),
    port: z.int().min(1).max(65_535).default(22).meta({ description: 'Port of the SFTP server' }),
    username: z.string().min(1).meta({ description: 'User to log in as' }),
    hostKeys: z.array(fingerprint).default([]).meta({
      description:
        'Fingerprints of the host keys to trust (SHA256:…). Nothing is sent to a server without one',
    }),
    directory: z
      .string()
      .min(1)
      .default('.')
      .refine((path) => !path.split('/').includes('..'), 'must not hold ..')
      .meta({ description: 'Folder on the server; made where it is not there' }),
    content: z.enum(['changes', 'members']).default('changes').meta({
      description: 'changes: a file per batch of changes. members: one file with everybody, replaced whole',
    }),
    fileName: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .meta({ description: 'Template of the names without extension, see the README' }),
    rows: z
      .enum(['identity', 'member'])
      .default('identity')
      .meta({ description: 'A row per identity, or per member' }),
    columns: z.array(column).min(1).max(100).optional().meta({ description: 'Columns, from left to right' }),
    header: z.boolean().default(true).meta({ description: 'Whether the first line names the columns' }),
    delimiter: z
      .enum(['comma', 'tab', 'pipe'])
      .default('comma')
      .meta({ description: 'What parts the columns' }),
    compression: z.enum(['none', 'gzip']).default('none').meta({ description: 'Whether files are packed' }),
    membersPerFile: z
      .int()
      .min(1)
      .max(MAX_MEMBERS_PER_FILE)
      .default(DEFAULT_MEMBERS_PER_FILE)
      .meta({ description: 'Members a file of changes holds at most' }),
  })
  .superRefine((value, ctx) => {
    for (const { path, message } of problemsOf(value))
      ctx.addIssue({ code: 'custom', path: [path], message });
  });

export const credentials = z
  .object({
    password: secret('Password of the user').optional(),
    privateKey: secret('Private key of the user, in OpenSSH or PEM format').optional(),
    passphrase: secret('Passphrase of the private key').optional(),
  })
  .refine(({ password, privateKey }) => password !== undefined || privateKey !== undefined, {
    message: 'give a password, a privateKey, or both',
  })
  .refine(({ privateKey, passphrase }) => passphrase === undefined || privateKey !== undefined, {
    message: 'a passphrase belongs to a privateKey',
  });

export const connectionSettings = z.object({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
      'must begin with a letter or digit, then letters, digits, . _ -',
    )
    .optional()
    .meta({
      description: 'Stands for {audience} in file names; made from the name of the audience if absent',
    }),
});

export type SftpSettings = z.output<typeof settings>;
export type Column = z.output<typeof column>;
export type SftpContext = OutputContext<
  SftpSettings,
  z.output<typeof credentials>,
  z.output<typeof connectionSettings>
>;

type Given = Omit<SftpSettings, 'columns'> & { columns?: readonly Column[] | undefined };

/** What one field alone cannot know. */
function* problemsOf(given: Given): Generator<{ path: string; message: string }> {
  const { columns, rows, content, fileName } = given;
  const named = fileName === undefined ? undefined : templateProblem(fileName, content);
  if (named !== undefined) yield { path: 'fileName', message: named };
  if (!columns) {
    if (rows === 'member') yield { path: 'columns', message: 'must be given for a row per member' };
    return;
  }
  if (columns.some(({ from, text }) => (from === 'text') !== (text !== undefined))) {
    yield { path: 'columns', message: 'a column from text has a text, and no other has' };
  }
  const unhashable = columns.find((one) => one.encoding !== 'raw' && !canHash(one.from));
  if (unhashable) yield { path: 'columns', message: `${unhashable.from} cannot be encoded as a hash` };
  const froms = new Set<string>(columns.map(({ from }) => from));
  const types = IDENTITY_TYPES.filter((type) => froms.has(type));
  if (rows === 'identity') {
    if (types.length > 0)
      yield { path: 'columns', message: `${types.join(', ')}: not in a row per identity` };
    if (!froms.has('identity_value')) yield { path: 'columns', message: 'must have one from identity_value' };
    return;
  }
  if (IDENTITY_SOURCES.some((source) => froms.has(source))) {
    yield { path: 'columns', message: 'identity_type and identity_value belong into a row per identity' };
  }
  if (types.length === 0) yield { path: 'columns', message: 'must have one from an identity type' };
}

function canHash(from: Column['from']): boolean {
  return from === 'identity_value' || (isIdentityType(from) && !isHashType(from));
}
