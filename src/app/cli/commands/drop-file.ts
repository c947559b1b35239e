import { copyFile, mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CliError, EXIT } from '../cli-error.js';
import type { HubClient } from '../hub-client.js';
import type { Workspace } from '../workspace-choice.js';

export const LAYOUTS = ['iqm', 'repro'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** A folder-drop input, as the API shows it. */
export interface DropInput {
  id: string;
  name: string;
  plugin: string;
  enabled: boolean;
  settings: { path?: string; layout?: string; prefix?: string };
}

/** Which input of the workspace takes the file; made in `folder` where there is none and a folder is given. */
export async function chooseInput(
  client: HubClient,
  workspace: Workspace,
  layout: Layout,
  wanted: { input?: string; folder?: string },
): Promise<DropInput> {
  const inputs: DropInput[] = [];
  for await (const input of client.all<DropInput>('/inputs', { workspaceId: workspace.id })) {
    const isDrop = input.plugin === 'folder-drop' && input.settings.layout === layout && input.enabled;
    if (isDrop && (wanted.input === undefined || [input.id, input.name].includes(wanted.input)))
      inputs.push(input);
  }
  const [first, ...others] = inputs;
  if (first && others.length > 0) {
    const lines = inputs.map(({ id, name }) => `${id}  ${name}`);
    const message = `${workspace.name} has several folder-drop inputs of layout ${layout}. Choose one with --input:`;
    throw new CliError(message, EXIT.usage, undefined, lines);
  }
  if (first) return first;
  if (wanted.folder === undefined || wanted.input !== undefined) {
    const message = `${workspace.name} has no such folder-drop input of layout ${layout}.`;
    throw new CliError(`${message} --folder PATH makes one that watches PATH.`, EXIT.usage);
  }
  await mkdir(wanted.folder, { recursive: true });
  return client.post<DropInput>('/inputs', {
    workspaceId: workspace.id,
    plugin: 'folder-drop',
    name: `Dropped by hand (${layout})`,
    settings: { path: wanted.folder, layout },
  });
}

/**
 * Copies `file` to where `input` expects it, and returns its key. The copy appears whole. The same name is the
 * same key, so it refreshes the same audience.
 */
export async function dropFile(
  file: string,
  audienceName: string | undefined,
  { input, layout, workspace }: { input: DropInput; layout: Layout; workspace: Workspace },
): Promise<string> {
  const { path = '', prefix = '' } = input.settings;
  await assertFolder(path, input);
  const ending = layout === 'iqm' && /\.xlsx$/i.test(file) ? '.xlsx' : '.csv';
  const ownName = basename(file).replace(ending === '.csv' ? /\.csv$/i : /\.xlsx$/i, '');
  const name = `${audienceName ?? ownName}${ending}`;
  if (name.includes('/') || name.includes('\\')) {
    throw new CliError(`${name} cannot be a file name. Choose a --name without slashes.`, EXIT.usage);
  }
  const inLayout =
    layout === 'iqm' ? ['onboarding', `seat_id=${workspace.seatId}`, 'imported', name] : [name];
  const key = [...prefix.split('/').filter((part) => part !== ''), ...inLayout].join('/');
  const target = join(path, ...key.split('/'));
  // Inputs leave files alone whose name says that they are still being written.
  const half = `${target}.part`;
  try {
    await mkdir(dirname(target), { recursive: true });
    await copyFile(file, half);
    await rename(half, target);
  } catch (error) {
    await rm(half, { force: true });
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    throw new CliError(`${file} was not copied to ${target} (${code}).`, EXIT.usage);
  }
  return key;
}

async function assertFolder(path: string, input: DropInput): Promise<void> {
  const isFolder = await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (isFolder) return;
  const message = `The folder of input ${input.name} (${path}) is not on this machine.`;
  throw new CliError(`${message} Run the command where the hub runs, or mount the folder here.`, EXIT.usage);
}
