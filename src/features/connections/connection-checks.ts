import { HubError } from '../../domain/errors/index.js';
import { sharedAttributes } from '../../domain/identities/index.js';
import { partnerAudienceName } from '../../domain/names/index.js';
import { parseConnectionSettings, parseSettings } from '../../host/registry/index.js';
import { allowedNames, nameProblems, namingOf, type OutputConnector } from '../../kit/index.js';
import type { audiences, outputs } from '../../platform/database/index.js';

export type Audience = typeof audiences.$inferSelect;
export type Output = typeof outputs.$inferSelect;

/** VALIDATION_FAILED where they are not of one workspace. */
export function requireSameWorkspace(audience: Audience, output: Output): void {
  if (audience.workspaceId === output.workspaceId) return;
  throw new HubError('VALIDATION_FAILED', 'The output belongs to another workspace than the audience.', [
    { field: 'outputId', message: `must be an output of workspace ${audience.workspaceId}` },
  ]);
}

/** The name that the partner sees: that of the audience, unless the connection's settings say another. */
export function nameAtPartner(plugin: OutputConnector, settings: unknown, given: string): string {
  return plugin.nameFor?.(parseConnectionSettings(plugin, settings), given) ?? given;
}

/**
 * The name that the partner will see; NAME_REFUSED where it would refuse it. Found before the partner finds it.
 *
 * @param settings of the connection, as they are kept
 */
export function usableName(
  plugin: OutputConnector,
  output: Output,
  settings: unknown,
  given: string,
): string {
  const name = nameAtPartner(plugin, settings, given);
  const rule = namingOf(plugin, parseSettings(plugin, output.settings));
  const problems = rule === undefined ? [] : nameProblems(rule, name);
  if (rule === undefined || problems.length === 0) return name;
  throw new HubError(
    'NAME_REFUSED',
    `Output ${output.name} (plugin ${plugin.id}) would refuse the name ${name}: it ${problems.join(' and ')}. ` +
      `${allowedNames(rule)} Give the audience another external name, or the variant another name.`,
    problems.map((message) => ({ field: 'externalName', message })),
  );
}

/** What a second connection of the same to the same is answered. */
export function alreadyConnected(audience: Audience, output: Output, variantName?: string): HubError {
  const what = variantName === undefined ? '' : `Variant ${variantName} of `;
  return new HubError(
    'ALREADY_EXISTS',
    `${what}${what === '' ? 'A' : 'a'}udience ${audience.id} is connected to output ${output.id} already. Change that connection.`,
  );
}

/** The same while that connection is being removed. */
export function stillRemoving(id: string): HubError {
  return new HubError(
    'ALREADY_EXISTS',
    `The connection that was there, ${id}, is being removed at the partner. Connect again when GET /connections/${id} ` +
      `says removed, or give up on it (DELETE /connections/${id}?force=true).`,
  );
}

/**
 * The attributes to share, as they are kept: each once, under the name that was chosen. ATTRIBUTES_REFUSED where the
 * output takes none, or none of such a name.
 */
export function chosenAttributes(
  plugin: OutputConnector,
  output: Output,
  given: readonly string[],
): string[] {
  const names = sharedAttributes(given).map(({ name }) => name);
  if (names.length === 0) return [];
  if (plugin.attributes !== 'optional') {
    throw new HubError(
      'ATTRIBUTES_REFUSED',
      `Output ${output.name} (plugin ${plugin.id}) takes identities only. Leave attributes out.`,
      [{ field: 'attributes', message: 'must be empty for this output' }],
    );
  }
  const settings = parseSettings(plugin, output.settings);
  const problems = names.flatMap((name) => {
    const problem = plugin.attributeProblem?.(name, settings);
    return problem === undefined ? [] : [{ field: 'attributes', message: `${name} ${problem}` }];
  });
  if (problems.length === 0) return names;
  const told = problems.map(({ message }) => message).join('; ');
  throw new HubError(
    'ATTRIBUTES_REFUSED',
    `Output ${output.name} cannot take these attributes: ${told}.`,
    problems,
  );
}

/** What an audience, or a variant of it, is called at partners. */
export function partnerName(
  { name, externalName }: Pick<Audience, 'name' | 'externalName'>,
  variantName?: string | null,
): string {
  return partnerAudienceName({ name, externalName, variantName: variantName ?? null });
}
