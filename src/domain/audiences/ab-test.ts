import { BUCKETS } from './variants.js';

/** Variants that a test has at least and at most, Control not counted. */
export const [MIN_VARIANTS, MAX_VARIANTS] = [2, 50];
/** Characters (code points) of a variant's name: it stands behind the audience's name at partners. */
export const MAX_VARIANT_NAME_LENGTH = 100;
/** The name of the remainder. Nobody else may have it. */
export const CONTROL = 'Control';

const BUCKETS_A_PERCENT = BUCKETS / 100;

/** A share of an audience as somebody asks for it. `percentage`: over 0 to 100, in hundredths. */
export interface GivenVariant {
  name: string;
  percentage: number;
}

/** A share of the buckets, half-open: from ≤ bucket < to. */
export interface PlannedVariant {
  name: string;
  isControl: boolean;
  fromBucket: number;
  toBucket: number;
}

/** What is wrong with a test; `field` as in the request. */
export interface AbTestProblem {
  field: string;
  message: string;
}

/**
 * The variants of a new test, side by side, and Control, which gets what they leave: 100 − their sum, 0 too.
 * Either that, or everything that is wrong.
 */
export function planVariants(
  given: readonly GivenVariant[],
): { variants: PlannedVariant[] } | { problems: AbTestProblem[] } {
  const problems = [...problemsOfNumber(given), ...problemsOfNames(given), ...problemsOfShares(given)];
  if (problems.length > 0) return { problems };
  let next = 0;
  const variants = given.map(({ name, percentage }) => {
    const fromBucket = next;
    next += bucketsOf(percentage);
    return { name, isControl: false, fromBucket, toBucket: next };
  });
  return { variants: [...variants, { name: CONTROL, isControl: true, fromBucket: next, toBucket: BUCKETS }] };
}

/** Percent of the audience, in hundredths. */
export function percentageOf({
  fromBucket,
  toBucket,
}: Pick<PlannedVariant, 'fromBucket' | 'toBucket'>): number {
  return (toBucket - fromBucket) / BUCKETS_A_PERCENT;
}

function problemsOfNumber({ length }: readonly GivenVariant[]): AbTestProblem[] {
  if (length >= MIN_VARIANTS && length <= MAX_VARIANTS) return [];
  const message = `must be ${MIN_VARIANTS} to ${MAX_VARIANTS} variants (Control is added by itself), not ${length}`;
  return [{ field: 'variants', message }];
}

function problemsOfNames(given: readonly GivenVariant[]): AbTestProblem[] {
  const taken = new Set<string>();
  return given.flatMap(({ name }, index) => {
    const field = `variants.${index}.name`;
    const isControl = folded(name) === folded(CONTROL);
    if (isControl) return [{ field, message: 'must not be Control: that is the name of the remainder' }];
    if (taken.has(folded(name)))
      return [{ field, message: 'must not be the name of another variant, in any case' }];
    taken.add(folded(name));
    return [];
  });
}

function problemsOfShares(given: readonly GivenVariant[]): AbTestProblem[] {
  const odd = given.flatMap(({ percentage }, index) =>
    isShare(percentage)
      ? []
      : [
          {
            field: `variants.${index}.percentage`,
            message: 'must be above 0 and at most 100, with at most two decimals',
          },
        ],
  );
  if (odd.length > 0) return odd;
  const sum = given.reduce((total, { percentage }) => total + bucketsOf(percentage), 0);
  if (sum <= BUCKETS) return [];
  const over = `${sum / BUCKETS_A_PERCENT} %, which is over 100 %`;
  return [
    { field: 'variants', message: `come to ${over}. Make them smaller; Control gets what is left of 100 %` },
  ];
}

function isShare(percentage: number): boolean {
  const buckets = percentage * BUCKETS_A_PERCENT;
  // 14.57 * 100 is 1457.0000000000002.
  return buckets > 0.5 && buckets <= BUCKETS && Math.abs(buckets - Math.round(buckets)) < 1e-6;
}

function bucketsOf(percentage: number): number {
  return Math.round(percentage * BUCKETS_A_PERCENT);
}

function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
