import { posix } from 'node:path';
import { type Batch, defineOutput, IDENTITY_TYPES, type PartnerAudience } from '../../src/kit/index.js';
import { ConnectionFiles } from './delivery.js';
import { DEFAULT_TEMPLATES, namesEachVersion } from './file-name.js';
import { columnsOf } from './rows.js';
import { withSession } from './session.js';
import {
  connectionSettings,
  credentials,
  DEFAULT_MEMBERS_PER_FILE,
  settings,
  type SftpContext,
  type SftpSettings,
} from './settings.js';

const DONE = { status: 'done', rejected: [] } as const;
const ALL_IDENTITIES = IDENTITY_TYPES.map((type) => ({ type, encoding: 'raw' as const }));

/** Current members or changes as files on an SFTP server (SSH 2, SFTP version 3: what servers speak). */
export const sftp = defineOutput({
  id: 'sftp',
  name: 'SFTP',
  description: 'Writes current members or changes as delimited files to an SFTP server, such as LiveRamp’s.',
  version: '1.0.0',
  settings,
  credentials,
  connectionSettings,
  identities: ALL_IDENTITIES,
  identitiesFor: ({ rows, columns = [] }) =>
    rows === 'identity'
      ? ALL_IDENTITIES
      : ALL_IDENTITIES.filter(({ type }) => columns.some(({ from }) => from === type)),
  attributes: 'optional',
  attributeProblem: (name, settings) =>
    columnsOf(settings).some(({ header }) => plain(header) === plain(name))
      ? 'is a column of the files already'
      : undefined,
  limits: { batchSize: DEFAULT_MEMBERS_PER_FILE },
  limitsFor: ({ membersPerFile }) => ({ batchSize: membersPerFile }),
  nameFor: ({ name }, given) => name ?? given,
  knownBy: ({ columns }) =>
    columns === undefined || columns.some(({ from }) => from === 'mpid') ? 'mpid' : 'identities',
  leaves: (settings) =>
    isReplacedFile(settings)
      ? undefined
      : 'Files that were written before stay on the server, with the people in them.',
  /** Logs in and does what a delivery does: makes the folder, writes, renames, deletes. */
  async check(ctx) {
    await withSession(ctx, async (remote) => {
      const probe = posix.join(ctx.settings.directory, '.hub-check');
      await remote.makeFolderOf(probe);
      await remote.write(`${probe}.part`, Buffer.from('The hub writes here.\n'));
      await remote.move(`${probe}.part`, probe);
      await remote.delete(probe);
    });
  },
  audience: {
    add: (ctx, audience, batch) => writeChanges(ctx, 'add', audience, batch),
    remove: (ctx, audience, batch) => writeChanges(ctx, 'remove', audience, batch),
    replace: {
      wanted: (ctx) => ctx.settings.content === 'members',
      write: (ctx, audience, batch, part) =>
        withFiles(ctx, (files) => files.writePart(audience, batch, part)),
      finish: (ctx, audience, whole) => withFiles(ctx, (files) => files.finishWhole(audience, whole)),
    },
    deleteTakesMembers: ({ settings }) => isReplacedFile(settings),
    /** Files of changes stay: they are the partner's. */
    delete: (ctx, audience) => withFiles(ctx, (files) => files.forget(audience)),
  },
});

/** Readers of files often tell columns apart without the case. */
function plain(header: string): string {
  return header.trim().toLowerCase();
}

/** One file with the current members, always of the same name. */
function isReplacedFile({ content, fileName }: SftpSettings): boolean {
  return content === 'members' && !namesEachVersion(fileName ?? DEFAULT_TEMPLATES[content]);
}

async function writeChanges(
  ctx: SftpContext,
  operation: 'add' | 'remove',
  audience: PartnerAudience,
  batch: Batch,
) {
  if (batch.members.length === 0) return DONE;
  await withFiles(ctx, (files) => files.writeChanges(operation, audience, batch));
  return DONE;
}

function withFiles(ctx: SftpContext, use: (files: ConnectionFiles) => Promise<void>): Promise<void> {
  return withSession(ctx, (remote) => use(new ConnectionFiles(ctx, remote)));
}
