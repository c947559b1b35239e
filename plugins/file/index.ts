import { resolve } from 'node:path';
import { z } from 'zod';
import {
  type Batch,
  type BatchResult,
  defineOutput,
  type Destination,
  IDENTITY_TYPES,
  type OutputContext,
  type PartnerAudience,
  secret,
} from '../../src/kit/index.js';
import { fileNameOf } from './naming.js';
import { headerOf, type Operation, type RowLayout, rowsOf } from './rows.js';
import { finishWhole, forgetConnection, forgetNotes, partKey } from './whole-state.js';

const settings = z.object({
  destination: z
    .string()
    .min(1)
    .refine((url) => !/^[a-z][a-z0-9+.-]+:\/\//i.test(url) || /^s3:\/\/[^/]+/.test(url), {
      message: 'must be a folder or s3://bucket/prefix',
    })
    .meta({ description: 'Folder (absolute path) or s3://bucket/prefix' }),
  format: z.enum(['csv', 'ndjson']).default('csv').meta({ description: 'What the files are written in' }),
  content: z.enum(['members', 'changes']).default('members').meta({
    description: 'members: one file with the current members, replaced whole. changes: a file per batch',
  }),
  region: z.string().min(1).optional().meta({ description: 'Region of the bucket' }),
  endpoint: z.url().optional().meta({ description: 'Address of an S3-compatible server; AWS if absent' }),
});

const credentials = z
  .object({
    accessKeyId: secret('Access key id of an s3:// destination').optional(),
    secretAccessKey: secret('Secret access key of an s3:// destination').optional(),
  })
  .refine((keys) => (keys.accessKeyId === undefined) === (keys.secretAccessKey === undefined), {
    message: 'give both accessKeyId and secretAccessKey, or neither',
  });

const connectionSettings = z.object({
  fileName: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: "Name of the file without extension; the audience's name if absent" }),
});

type FileContext = OutputContext<
  z.output<typeof settings>,
  z.output<typeof credentials>,
  z.output<typeof connectionSettings>
>;

/** Current members or changes as CSV or NDJSON, to a folder or a bucket. */
export const file = defineOutput({
  id: 'file',
  name: 'File',
  description: 'Writes current members or changes as CSV or NDJSON files to a folder or an S3 bucket.',
  version: '1.0.0',
  settings,
  credentials,
  connectionSettings,
  identities: IDENTITY_TYPES.map((type) => ({ type, encoding: 'raw' as const })),
  attributes: 'optional',
  limits: { batchSize: 10_000 },
  nameFor: ({ fileName }, name) => fileName ?? name,
  leaves: ({ content }) =>
    content === 'changes'
      ? 'The files of changes that were written stay; files of removals were added to them.'
      : undefined,
  egressUrls: ({ endpoint }) => (endpoint === undefined ? [] : [endpoint]),
  async check(ctx) {
    const destination = destinationOf(ctx);
    await destination.put('.hub-check', 'The hub writes here.\n');
    await destination.delete('.hub-check');
  },
  audience: {
    add: (ctx, audience, batch) => writeChanges(ctx, 'add', audience, batch),
    remove: (ctx, audience, batch) => writeChanges(ctx, 'remove', audience, batch),
    replace: {
      wanted: (ctx) => ctx.settings.content === 'members',
      async write(ctx, _audience, batch, part) {
        ctx.signal.throwIfAborted();
        const key = partKey({ connectionId: ctx.connectionId, toVersion: batch.toVersion }, part);
        await destinationOf(ctx).put(key, rowsOf(batch.members, layoutOf(ctx)));
      },
      async finish(ctx, audience, { toVersion, parts }) {
        ctx.signal.throwIfAborted();
        await finishWhole(
          destinationOf(ctx),
          { connectionId: ctx.connectionId, toVersion },
          { target: membersKey(ctx, audience), header: headerOf(layoutOf(ctx)), parts },
        );
      },
    },
    deleteTakesMembers: (ctx) => ctx.settings.content === 'members',
    /** Takes the members' file away. Files of changes stay: they are a record of what was. */
    async delete(ctx, audience) {
      const destination = destinationOf(ctx);
      if (ctx.settings.content === 'changes') await forgetNotes(destination, ctx.connectionId);
      else await forgetConnection(destination, ctx.connectionId, membersKey(ctx, audience));
    },
  },
});

/** The same batch is the same key, so a batch written twice is there once. */
async function writeChanges(
  ctx: FileContext,
  operation: Operation,
  audience: PartnerAudience,
  batch: Batch,
): Promise<BatchResult> {
  ctx.signal.throwIfAborted();
  if (batch.members.length === 0) return { status: 'done', rejected: [] };
  const { format } = ctx.settings;
  const folder = `${baseName(ctx, audience)}/changes/v${batch.fromVersion}-v${batch.toVersion}`;
  const key = `${folder}/${operation}-${fileNameOf(batch.id)}.${format}`;
  await destinationOf(ctx).put(key, changeRows(ctx, operation, batch));
  return { status: 'done', rejected: [] };
}

async function* changeRows(ctx: FileContext, operation: Operation, batch: Batch): AsyncGenerator<Uint8Array> {
  const layout = { ...layoutOf(ctx), operation };
  const header = headerOf(layout);
  if (header !== '') yield Buffer.from(header);
  yield* rowsOf(batch.members, layout);
}

function layoutOf({ settings: { format }, attributes = [] }: FileContext): RowLayout {
  return { format, attributes };
}

function membersKey(ctx: FileContext, audience: PartnerAudience): string {
  return `${baseName(ctx, audience)}.${ctx.settings.format}`;
}

function baseName(ctx: FileContext, audience: PartnerAudience): string {
  return fileNameOf(ctx.connection.fileName ?? audience.name);
}

function destinationOf(ctx: Pick<FileContext, 'settings' | 'credentials' | 'destination'>): Destination {
  const { destination, region, endpoint } = ctx.settings;
  const { accessKeyId, secretAccessKey } = ctx.credentials;
  return ctx.destination(destination.startsWith('s3://') ? destination : resolve(destination), {
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
  });
}
