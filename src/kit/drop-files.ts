import { z } from 'zod';
import { parseIqmKey, parseReproKey, type RefusedKey } from './drop-layouts.js';
import {
  DATA_PARTNER_NAME,
  type FileShape,
  type ListedFile,
  type SourceFile,
  type WorkspaceRef,
} from './input.js';

/** Layouts of a drop: how keys are formed and what the files hold. */
export const DROP_LAYOUTS = ['iqm', 'repro'] as const;

/** One of {@link DROP_LAYOUTS}. */
export type DropLayout = (typeof DROP_LAYOUTS)[number];

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** What a layout promises of its files, whatever the drop is kept in. */
export interface LayoutRules {
  shape: FileShape;
  onUnknown: SourceFile['onUnknown'];
  tombstones: boolean;
}

const LAYOUT_RULES: Record<DropLayout, LayoutRules> = {
  // The source names no limit for dropped files (1 GB and 5 M records hold for its API); 10 GiB keeps a
  // runaway export from filling the spool.
  iqm: {
    shape: { format: 'csv', header: true, encodings: 'detect', maxBytes: 10 * GIB },
    onUnknown: 'create',
    tombstones: false,
  },
  // "500 MB, about 16 million ids": read as MiB, so that no file that fits either reading is refused.
  repro: {
    shape: {
      format: 'csv',
      header: false,
      columns: ['customer_id'],
      encodings: 'utf-8',
      maxBytes: 500 * MIB,
    },
    onUnknown: 'reject',
    tombstones: true,
  },
};

/** What `layout` promises of its files. */
export function layoutRules(layout: DropLayout): LayoutRules {
  return LAYOUT_RULES[layout];
}

function dataPartner(ids: string) {
  return z
    .string()
    .regex(DATA_PARTNER_NAME, 'must be 1 to 32 letters, digits, `-` and `_`')
    .optional()
    .meta({
      description: `Data partner whose ${ids} a column holds that does not say it by its name: l2, targetsmart or another name`,
    });
}

/** Settings that every drop input has; extend with where the drop is. */
export const dropSettings = z.object({
  layout: z.enum(DROP_LAYOUTS).meta({ description: 'How keys are formed and what the files hold' }),
  prefix: z
    .string()
    .refine((prefix) => !prefix.split('/').some((segment) => segment === '..' || segment === '.'), {
      message: 'must not hold "." or ".." segments',
    })
    .optional()
    .meta({ description: 'Folder inside the drop that the layout begins in' }),
  maxBytes: z
    .int()
    .positive()
    .optional()
    .meta({ description: "Largest file taken, in bytes, instead of the layout's own limit" }),
  voterIdPartner: dataPartner('voter ids'),
  npiPartner: dataPartner('NPIs'),
});

/** Parsed {@link dropSettings}. */
export type DropSettings = z.output<typeof dropSettings>;

/** What a drop knows of one key before it is read. */
export interface DropObject {
  /** Whole key, prefix included, with `/` between folders. */
  key: string;
  revision: string;
  sizeBytes: number;
  modifiedAt: Date;
}

/** The prefix as keys begin with it: empty, or without a leading and with one trailing slash. */
export function dropPrefixOf(settings: Pick<DropSettings, 'prefix'>): string {
  const bare = (settings.prefix ?? '').replace(/^\/+|\/+$/g, '');
  return bare === '' ? '' : `${bare}/`;
}

/**
 * What an input lists for `object`: a source file, a refusal with its reason, or nothing where the key
 * is no one's data (see {@link isDropNoise}).
 */
export function listedFileOf(settings: DropSettings, object: DropObject): ListedFile | undefined {
  const prefix = dropPrefixOf(settings);
  const relativeKey = object.key.startsWith(prefix) ? object.key.slice(prefix.length) : object.key;
  if (isDropNoise(relativeKey)) return undefined;
  const parsed = parseDropKey(settings.layout, relativeKey);
  if ('refused' in parsed) return { key: object.key, revision: object.revision, refused: parsed.refused };
  const { shape, onUnknown, tombstones } = LAYOUT_RULES[settings.layout];
  return {
    ...object,
    audienceName: parsed.audienceName,
    workspace: parsed.workspace,
    shape: {
      ...shape,
      ...dataPartnersOf(settings),
      format: parsed.format,
      maxBytes: settings.maxBytes ?? shape.maxBytes,
    },
    onUnknown,
    tombstones,
  };
}

function dataPartnersOf({ voterIdPartner, npiPartner }: DropSettings): Pick<FileShape, 'dataPartners'> {
  if (voterIdPartner === undefined && npiPartner === undefined) return {};
  return {
    dataPartners: {
      ...(voterIdPartner === undefined ? {} : { voter_id: voterIdPartner }),
      ...(npiPartner === undefined ? {} : { npi: npiPartner }),
    },
  };
}

/**
 * True for what file systems and transfer tools leave behind: folder markers, dot files, marker files
 * such as `_SUCCESS`, and names that say the transfer still runs. Refusing them would only make noise.
 */
export function isDropNoise(key: string): boolean {
  if (key === '' || key.endsWith('/')) return true;
  if (key.split('/').some((segment) => segment.startsWith('.') && !/^\.{1,2}$/.test(segment))) return true;
  const name = key.slice(key.lastIndexOf('/') + 1);
  return /^_[A-Z]+$/.test(name) || /(?:~|\.(?:tmp|part|partial|filepart|crdownload))$/i.test(name);
}

function parseDropKey(
  layout: DropLayout,
  relativeKey: string,
): { format: FileShape['format']; audienceName: string; workspace: WorkspaceRef } | RefusedKey {
  if (layout === 'repro') {
    const parsed = parseReproKey(relativeKey);
    return 'refused' in parsed ? parsed : { ...parsed, workspace: { by: 'input' } };
  }
  const parsed = parseIqmKey(relativeKey);
  if ('refused' in parsed) return parsed;
  const { format, audienceName, seatId } = parsed;
  return { format, audienceName, workspace: { by: 'seat', seatId } };
}
