import type { z } from 'zod';
import type { OutputConnector } from './output.js';

/** Names a partner accepts for an audience; linted before the partner sees them. */
export interface NameRule {
  /** Characters (code points). */
  maxLength: number;
  /** Source of a regular expression that a character must match to be refused. */
  forbidden?: string;
  /** Source of a regular expression that the whole name must match. */
  pattern?: string;
  /** Names that mean something else to the partner, in any case. */
  reserved?: readonly string[];
  /** What `forbidden` and `pattern` allow, in words behind "A name may have at most 9 characters, and". */
  allowed?: string;
}

/** What keeps `name` from being used under `rule`, in words that follow "it"; empty where nothing does. */
export function nameProblems(rule: NameRule, name: string): string[] {
  const { maxLength, forbidden, pattern, reserved = [] } = rule;
  const length = Array.from(name).length;
  const refused =
    forbidden === undefined ? [] : [...name.matchAll(new RegExp(forbidden, 'gu'))].map(([one]) => one);
  return [
    ...(length > maxLength ? [`has ${length} characters`] : []),
    ...(refused.length > 0 ? [`holds ${[...new Set(refused)].map(shown).join(', ')}`] : []),
    ...(pattern !== undefined && !new RegExp(pattern, 'u').test(name)
      ? ['is not of the form that is expected']
      : []),
    ...(reserved.some((word) => word.toLowerCase() === name.toLowerCase())
      ? ['is a word of the partner’s own']
      : []),
  ];
}

/** What a name may be under `rule`, as a sentence. */
export function allowedNames({ maxLength, forbidden, allowed }: NameRule): string {
  const what = allowed ?? (forbidden === undefined ? undefined : `no character of ${forbidden}`);
  return `A name may have at most ${maxLength} characters${what === undefined ? '' : `, and ${what}`}.`;
}

/** The rule that holds for a connector with these settings. */
export function namingOf<C extends z.ZodObject>(
  connector: Pick<OutputConnector<C>, 'naming' | 'namingFor'>,
  settings: z.output<C>,
): NameRule | undefined {
  return connector.namingFor?.(settings) ?? connector.naming;
}

function shown(character: string): string {
  if (character === ' ') return 'a space';
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return /\p{C}/u.test(character) ? `U+${code}` : character;
}
