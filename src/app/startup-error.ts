/** The hub cannot start; the message is for the person who started it, without a stack. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
