import { NewImports } from '../../src/features/imports/index.js';
import { PEOPLE, csvOf, rowOf, type Row } from './people.js';
import type { Random } from './random.js';
import type { FileChange } from './steps.js';
import { keyOf, type World } from './world.js';

/** So many of many stay, who are at partners for long. */
const FEWER = 15;

/** Gives the hub a file of an audience, which differs from the one before it as `change` says. */
export async function giveFile(
  world: World,
  audience: number,
  change: FileChange,
  random: Random,
): Promise<void> {
  const key = `simulation/${world.number}/${world.files.size + 1}.csv`;
  const rows = nextRows(world, audience, change, random);
  const text = csvOf(rows);
  await world.storage.files.put(key, text);
  world.files.set(key, { audience, rows });
  const service = world.hub.get(NewImports);
  const source = {
    sizeBytes: Buffer.byteLength(text),
    modifiedAt: world.clock.now().toISOString(),
    shape: { format: 'csv', header: true, encodings: 'utf-8', maxBytes: 1_000_000 },
    onUnknown: 'create',
    tombstones: false,
    pushed: { fileKey: key, keepDays: 0 },
  } as const;
  const { workspaceId, inputId } = world;
  const file = { inputId, workspaceId, key: keyOf(audience), revision: key, source };
  const made = await world.hub.transaction(async (tx) => {
    await service.known(tx, inputId, file.key);
    return service.queue(tx, { ...file, audienceName: `Audience ${audience}` });
  });
  await service.begin([made.id]);
}

function nextRows(world: World, audience: number, change: FileChange, random: Random): Row[] {
  const before = world.newestRows(audience);
  const people = new Set(before.map(({ person }) => person));
  if (change === 'fresh' || people.size === 0) people.clear();
  if (change === 'few') people.clear();
  if (change === 'fewer') for (const person of [...people].slice(FEWER)) people.delete(person);
  const wanted = change === 'many' ? 90 : change === 'few' ? 4 : people.size === 0 ? 35 : 0;
  for (let i = 0; i < wanted; i += 1) people.add(random.below(PEOPLE));
  if (change === 'churn') {
    const leaving = [...people].filter(() => random.chance(0.2));
    for (let i = 0; i < 6; i += 1) people.add(random.below(PEOPLE));
    if (leaving.length < people.size) for (const person of leaving) people.delete(person);
  }
  return [...people].map((person) => rowOf(person, change === 'teach' || change === 'many', random));
}
