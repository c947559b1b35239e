/** A merge field of the stand-in's list. */
export interface FakeField {
  tag: string;
  name: string;
  type: string;
}

/** Fields that every new list has. */
export const USUAL_FIELDS: readonly FakeField[] = [
  { tag: 'FNAME', name: 'First Name', type: 'text' },
  { tag: 'LNAME', name: 'Last Name', type: 'text' },
  { tag: 'ADDRESS', name: 'Address', type: 'address' },
  { tag: 'PHONE', name: 'Phone Number', type: 'phone' },
];

const RESERVED = new Set(['EMAIL', 'DATE', 'ARCHIVE', 'UNSUB']);
const MAX_VALUE_BYTES = 255;

/** The merge fields of a list, and what contacts have in them. */
export class FakeMergeFields {
  readonly fields: FakeField[];
  /** Values by address and tag. */
  readonly values = new Map<string, Record<string, unknown>>();

  constructor(
    fields: readonly FakeField[],
    private readonly maxFields: number,
  ) {
    this.fields = [...fields];
  }

  /** Why a field is refused, in the words that matter; undefined: it was made. */
  make(asked: Partial<FakeField>): string | undefined {
    const { tag = '', name = '', type = '' } = asked;
    if (!/^[A-Z0-9_]{1,10}$/.test(tag) || RESERVED.has(tag) || name === '' || type === '') {
      return 'The resource submitted could not be validated.';
    }
    if (this.fields.some((field) => field.tag === tag)) {
      return `A Merge Field with the tag "${tag}" already exists for this list.`;
    }
    if (this.fields.length >= this.maxFields) return 'You have reached the limit of merge fields.';
    this.fields.push({ tag, name, type });
    return undefined;
  }

  /** What is wrong with values; undefined where the list takes them. */
  problemOf(values: Record<string, unknown>): string | undefined {
    for (const [tag, value] of Object.entries(values)) {
      const field = this.fields.find((one) => one.tag === tag);
      if (field?.type !== 'text') return `The list has no text field ${tag}.`;
      if (typeof value !== 'string' || Buffer.byteLength(value) > MAX_VALUE_BYTES)
        return `${tag} is too long.`;
    }
    return undefined;
  }

  keep(address: string, values: Record<string, unknown>): void {
    this.values.set(address, { ...this.values.get(address), ...values });
  }
}
