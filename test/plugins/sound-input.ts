import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { z } from 'zod';
import {
  type Context,
  defineInput,
  fault,
  type ScheduledInput,
  secret,
  type SourceFile,
  SourceChangedError,
} from '../../src/kit/index.js';
import type { InputFixtures } from '../../src/kit/testing/index.js';

const stores = new Map<string, Map<string, Buffer>>();
const settings = z.object({ store: z.string() });
const credentials = z.object({ token: secret('Opens the store').optional() });
type Ctx = Context<z.output<typeof settings>, z.output<typeof credentials>>;

/** A small input without a flaw, over stores in memory. */
export const soundInput = defineInput({
  id: 'sound-drop',
  name: 'Sound Drop',
  description: 'Keeps every promise of the contract.',
  version: '1.0.0',
  settings,
  credentials,
  check: (ctx) => Promise.resolve(void storeOf(ctx)),
  trigger: { type: 'schedule', list },
  open: (ctx, file) => Promise.resolve(Readable.from(chunksOf(ctx, file), { objectMode: false })),
}) as ScheduledInput;

function storeOf({ settings: { store } }: Ctx): Map<string, Buffer> {
  const found = stores.get(store);
  if (!found) throw fault.config('NO_STORE', `There is no store ${store}. Correct the settings.`);
  return found;
}

async function* list(ctx: Ctx): AsyncGenerator<SourceFile> {
  for (const [key, body] of storeOf(ctx)) {
    ctx.signal.throwIfAborted();
    yield await Promise.resolve({
      key,
      revision: createHash('sha256').update(body).digest('hex'),
      workspace: { by: 'input' as const },
      audienceName: key.replace(/\.csv$/, ''),
      sizeBytes: body.length,
      modifiedAt: new Date(),
      shape: { format: 'csv' as const, header: true, encodings: 'detect' as const, maxBytes: 1e9 },
      onUnknown: 'create' as const,
      tombstones: false,
    });
  }
}

async function* chunksOf(ctx: Ctx, file: { key: string; revision: string }): AsyncGenerator<Buffer> {
  const body = storeOf(ctx).get(file.key);
  if (!body || createHash('sha256').update(body).digest('hex') !== file.revision) {
    throw new SourceChangedError(`${file.key} changed.`);
  }
  for (let start = 0; start < body.length; start += 65_536) {
    ctx.signal.throwIfAborted();
    yield await Promise.resolve(body.subarray(start, start + 65_536));
  }
}

/** Fixtures with a store for every check. */
export function soundInputFixtures(): InputFixtures {
  return {
    source() {
      const name = `store-${stores.size}`;
      const store = new Map<string, Buffer>();
      stores.set(name, store);
      return Promise.resolve({
        settings: { store: name },
        put: (key, body) => Promise.resolve(void store.set(key, Buffer.from(body))),
        delete: (key) => Promise.resolve(void store.delete(key)),
        close: () => Promise.resolve(void stores.delete(name)),
      });
    },
    credentials: (canary) => ({ token: canary }),
    keyOf: (name) => `${name}.csv`,
    broken: [{ title: 'no store', settings: { store: 'none' }, kind: 'config' }],
  };
}

type List = ScheduledInput['trigger']['list'];

function withList(change: (file: SourceFile, index: number) => SourceFile[]): ScheduledInput {
  const list: List = async function* (ctx) {
    let index = 0;
    for await (const file of soundInput.trigger.list(ctx)) {
      if (!('refused' in file)) yield* change(file, index);
      index += 1;
    }
  };
  return { ...soundInput, trigger: { type: 'schedule', list } };
}

/** A copy that reads whatever is there now, as `change` makes it. */
function withOpen(change: (body: Buffer, ctx: Context<unknown, unknown>) => Readable): ScheduledInput {
  return {
    ...soundInput,
    open: (ctx, file) => Promise.resolve(change(storeOf(ctx as Ctx).get(file.key) ?? Buffer.alloc(0), ctx)),
  };
}

async function* slowly(first: Buffer, later: () => Buffer): AsyncGenerator<Buffer> {
  const half = first.length >> 1;
  for (let start = 0; start < half; start += 65_536)
    yield await Promise.resolve(first.subarray(start, start + 65_536));
  yield later().subarray(half);
}

/** Flawed copies: what is wrong, and the check that must notice. */
export const flawedInputs: readonly { flaw: string; noticedBy: string; plugin: ScheduledInput }[] = [
  {
    flaw: 'an input that lists what is not there',
    noticedBy: 'an empty source lists nothing',
    plugin: {
      ...soundInput,
      trigger: {
        type: 'schedule',
        async *list() {
          yield await Promise.resolve({ key: 'x', revision: '1', refused: { code: 'X', message: 'x' } });
        },
      },
    },
  },
  {
    flaw: 'a revision that changes by itself',
    noticedBy: 'what did not change keeps its key and revision',
    plugin: withList((file) => [{ ...file, revision: String(process.hrtime.bigint()) }]),
  },
  {
    flaw: 'a size as the revision',
    noticedBy: 'another content of the same length has another revision under the same key',
    plugin: withList((file) => [{ ...file, revision: String(file.sizeBytes) }]),
  },
  {
    flaw: 'an audience named by its whole key',
    noticedBy: 'size, time and audience of a file are told',
    plugin: withList((file) => [{ ...file, audienceName: file.key }]),
  },
  {
    flaw: 'a first page that counts as all',
    noticedBy: '1100 keys are each listed once',
    plugin: withList((file, index) => (index < 1000 ? [file] : [])),
  },
  {
    flaw: 'names that are decoded',
    noticedBy: 'names with spaces, emoji and %2F are taken literally',
    plugin: withList((file) => [{ ...file, audienceName: decodeURIComponent(file.audienceName) }]),
  },
  {
    flaw: 'a BOM that is stripped',
    noticedBy: 'bytes are handed over untouched: BOM, CRLF, UTF-16 and NUL',
    plugin: withOpen((body) => Readable.from([Buffer.from(body.toString().replace(/^\uFEFF/, ''))])),
  },
  {
    flaw: 'a revision that open does not look at',
    noticedBy: 'a file that was replaced before it is read is refused',
    plugin: withOpen((body) => Readable.from([body])),
  },
  {
    flaw: 'a missing file that is read as empty',
    noticedBy: 'a file that is gone before it is read is refused',
    plugin: withOpen((body) => Readable.from([body])),
  },
  {
    flaw: 'a mixture of two contents',
    noticedBy: 'a file that is replaced while it is read never comes as a mixture',
    plugin: withOpen((body) => Readable.from(slowly(body, () => Buffer.alloc(body.length, 'b')))),
  },
  {
    flaw: 'a visit that cannot be stopped',
    noticedBy: 'an aborted visit rejects',
    plugin: {
      ...soundInput,
      trigger: {
        type: 'schedule',
        list: (ctx) => soundInput.trigger.list({ ...ctx, signal: new AbortController().signal }),
      },
    },
  },
  {
    flaw: 'a read that cannot be stopped',
    noticedBy: 'a read that is aborted under way rejects',
    plugin: withOpen((body) => Readable.from(slowly(body, () => body))),
  },
  {
    flaw: 'a source that is missing and counts as empty',
    noticedBy: 'a source that cannot work becomes the right fault',
    plugin: { ...soundInput, check: () => Promise.resolve() },
  },
  {
    flaw: 'a token in a log line',
    noticedBy: 'secrets appear in no log line, URL, fault or listed key',
    plugin: {
      ...soundInput,
      trigger: {
        type: 'schedule',
        list(ctx) {
          ctx.log.info('Visiting', { token: String(ctx.credentials.token) });
          return soundInput.trigger.list(ctx);
        },
      },
    },
  },
];
