import { z } from 'zod';
import { type Batch, fault, type HttpResponse, type RejectedMember } from '../../src/kit/index.js';

/** Longest text of a receiver that is kept with an outcome. */
const MAX_TEXT_LENGTH = 500;

const batchAnswer = z.object({
  rejected: z
    .array(z.object({ index: z.int().nonnegative(), code: z.string().min(1), message: z.string() }))
    .default([]),
});

const countAnswer = z.object({ count: z.int().nonnegative() });

const createAnswer = z.object({ externalId: z.string().min(1).optional() });

/** The members the receiver refused: none where it answers without a body. */
export function rejectedOf(response: HttpResponse, batch: Batch): RejectedMember[] {
  if (response.text.trim() === '') return [];
  const answer = batchAnswer.safeParse(response.json());
  if (!answer.success) throw malformed('no body or { "rejected": [{ "index", "code", "message" }] }');
  const seen = new Set<number>();
  return answer.data.rejected.map(({ index, code, message }) => {
    const member = batch.members[index];
    if (!member || seen.has(index)) {
      throw malformed(`no body or each rejected index once, from 0 to ${batch.size - 1}`);
    }
    seen.add(index);
    return { index, code: shorten(code), message: shorten(withoutValues(message, member)) };
  });
}

/** The receiver's own id of a new audience, where it names one. */
export function externalIdOf(response: HttpResponse): string | undefined {
  if (response.text.trim() === '') return undefined;
  const answer = createAnswer.safeParse(response.json());
  if (!answer.success) throw malformed('no body or { "externalId": "…" }');
  return answer.data.externalId;
}

/** Members that the receiver says it has. */
export function countIn(response: HttpResponse): number {
  const answer = countAnswer.safeParse(response.text.trim() === '' ? undefined : response.json());
  if (!answer.success) throw malformed('{ "count": 0 }');
  return answer.data.count;
}

/** Receivers like to quote what they refuse; a person's data do not belong in an outcome's text. */
function withoutValues(message: string, { identities, attributes = {} }: Batch['members'][number]): string {
  return [...Object.values(identities).flat(), ...Object.values(attributes)]
    .filter((value) => value !== undefined && value !== '')
    .reduce((text, value) => text.replaceAll(value, '…'), message);
}

function shorten(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH - 1)}…` : text;
}

function malformed(expected: string) {
  return fault.retryable(
    'MALFORMED_RESPONSE',
    `The webhook's receiver answered with something else than ${expected}. Mend the receiver.`,
  );
}
