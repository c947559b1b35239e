import type { IdentityForm, IdentityType, OutputMember } from '../../kit/index.js';

/** Identities as columns, ascending by owner, form and value; where a value is stored twice it comes twice. */
export interface IdentityRows {
  owners: string[];
  /** Index into the forms that were asked for. */
  form: number[];
  value: string[];
}

/** Puts identities to their members; both are in the order of the mpids. */
export function membersOf(
  mpids: readonly string[],
  { owners, form, value }: IdentityRows,
  forms: readonly IdentityForm[],
): OutputMember[] {
  let at = 0;
  return mpids.map((mpid) => {
    const identities: { [T in IdentityType]?: string[] } = {};
    for (; owners[at] === mpid; at += 1) {
      const type = forms[form[at] ?? -1]?.type;
      const text = value[at];
      if (type === undefined || text === undefined) continue;
      const values = (identities[type] ??= []);
      if (values.at(-1) !== text) values.push(text);
    }
    return { mpid, identities };
  });
}
