/** What the body of a log-in asks for, or what is wrong with it. */
export type LogInRequest =
  | { grant: 'password'; email: string; password: string }
  | { grant: 'refresh_token'; refreshToken: string }
  | { refused: string };

const MAX_LENGTH = 1024;

/** Reads the body of POST /api/v3/ua/login; OAuth's own spelling of the names is read too. */
export function readLogIn(body: unknown): LogInRequest {
  const field = (...names: string[]): string | undefined => {
    const values = names.map((name) => (body as Record<string, unknown> | null | undefined)?.[name]);
    const value = values.find((one) => one !== undefined && one !== null);
    return typeof value === 'string' && value !== '' && value.length <= MAX_LENGTH ? value : undefined;
  };
  switch (field('grantType', 'grant_type')) {
    case 'password': {
      const email = field('email', 'username');
      if (email === undefined) return { refused: 'Email can not be null.' };
      const password = field('password');
      if (password === undefined) return { refused: 'Password can not be null.' };
      return { grant: 'password', email, password };
    }
    case 'refresh_token': {
      const refreshToken = field('refreshToken', 'refresh_token');
      if (refreshToken === undefined) return { refused: 'Refresh token can not be null.' };
      return { grant: 'refresh_token', refreshToken };
    }
    case undefined:
      return { refused: 'Grant type can not be null.' };
    default:
      return { refused: 'Grant type is not supported. Use password or refresh_token.' };
  }
}
