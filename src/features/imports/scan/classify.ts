import type { ListedFile, SourceFile } from '../../../kit/index.js';
import type { ImportProblem, sources } from '../../../platform/database/index.js';
import { rememberedRevision, type Router } from './routing.js';

type Source = typeof sources.$inferSelect;

/** What a scan does with a listed file. */
export type Classified =
  | { what: 'tombstoned' }
  | { what: 'unchanged' }
  /** To be listed as a failed import, once for this revision. */
  | { what: 'refused'; revision: string; problem: ImportProblem }
  | { what: 'import'; file: SourceFile; workspaceId: string };

/** Compares a listed file with what is known of its key. */
export async function classify(
  router: Router,
  file: ListedFile,
  source: Source | undefined,
): Promise<Classified> {
  if (source?.tombstonedAt) return { what: 'tombstoned' };
  if ('refused' in file) {
    const { revision, refused: problem } = file;
    return source?.revision === revision ? { what: 'unchanged' } : { what: 'refused', revision, problem };
  }
  const route = await router.route(file);
  const revision = rememberedRevision(file, route);
  if (source?.revision === revision) return { what: 'unchanged' };
  if ('problem' in route) return { what: 'refused', revision, problem: route.problem };
  return { what: 'import', file, workspaceId: route.workspaceId };
}
