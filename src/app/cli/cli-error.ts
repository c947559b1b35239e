/** What the command line ends with. */
export const EXIT = {
  /** Everything asked for was done. */
  done: 0,
  /** It was tried, and the outcome is bad: an import failed or is held, a file is unusable, an export failed, doctor found something. */
  bad: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** The hub did not answer. */
  unreachable: 3,
  /** The hub refused: the key may not, there is no such thing, the state does not allow it. */
  refused: 4,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error for people: no stack is shown. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    message: string,
    readonly exitCode: ExitCode,
    /** Code of the hub's problem, such as `NOT_FOUND`. */
    readonly code?: string,
    /** One line each: fields that are wrong, rows that were rejected. */
    readonly lines: readonly string[] = [],
  ) {
    super(message);
  }
}
