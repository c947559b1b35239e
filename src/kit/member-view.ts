import type { IdentityType } from './identity-types.js';
import type { OutputMember } from './output.js';

/** A member while a visit stands at it: good until the visitor returns. */
export interface MemberView<I extends IdentityType = IdentityType> {
  /** How many identities it has of a type. */
  count(type: I): number;
  /** One of them, counted from 0, as UTF-8. */
  value(type: I, nth: number): Uint8Array;
}

/** Shows members that are objects already. */
export function visitObjects<I extends IdentityType>(
  members: readonly OutputMember<I>[],
  visitor: (member: MemberView<I>, index: number) => void,
): void {
  for (const [index, { identities }] of members.entries()) {
    const all = identities as { readonly [type: string]: readonly string[] | undefined };
    const view: MemberView<I> = {
      count: (type) => all[type]?.length ?? 0,
      value: (type, nth) => Buffer.from(all[type]?.[nth] ?? ''),
    };
    visitor(view, index);
  }
}
