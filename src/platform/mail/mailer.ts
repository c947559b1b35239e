import { createHash } from 'node:crypto';
import { createTransport } from 'nodemailer';

/** A mail: plain text, and HTML where there is some. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
  html?: string | null;
  /** Names the mail for ever: sent twice, it has the same Message-ID, by which receivers tell that it is one. */
  id?: string;
  /** Mails of one thread refer to the same message, so that they are shown together. */
  thread?: string | null;
  /** What people sort by (List-Id): one for each workspace. */
  list?: string;
}

/** Sends mails. Whoever has something to say writes an outbox row; one feature sends those rows here. */
export interface Mailer {
  /** False: there is no SMTP server, and mails stay in the outbox. */
  readonly configured: boolean;

  /**
   * Hands one mail to the server; resolves when it was taken.
   *
   * @throws MailError where it was not.
   */
  send(mail: Mail): Promise<void>;

  close(): void;
}

/** A mail that was not taken. Names no address: the message may be stored and shown. */
export class MailError extends Error {
  override readonly name = 'MailError';

  constructor(
    message: string,
    /** False: the server refused this mail for good, sending it again is useless. */
    readonly retryable: boolean,
  ) {
    super(message);
  }
}

const TIMEOUT_MS = 20_000;

/** The mailer for SMTP_URL; without one, a mailer that sends nothing and says so. */
export function createMailer(options: { smtpUrl?: string; from: string }): Mailer {
  return options.smtpUrl === undefined ? new NoMailer() : new SmtpMailer(options.smtpUrl, options.from);
}

class NoMailer implements Mailer {
  readonly configured = false;

  async send(): Promise<void> {
    throw new MailError(
      'There is no mail server. Set SMTP_URL; the mail waits in the outbox until then.',
      true,
    );
  }

  close(): void {
    // Nothing is open.
  }
}

/** One pooled connection to an SMTP server. */
class SmtpMailer implements Mailer {
  readonly configured = true;
  readonly #transport: ReturnType<typeof transport>;

  constructor(
    smtpUrl: string,
    private readonly from: string,
  ) {
    this.#transport = transport(smtpUrl);
  }

  async send(mail: Mail): Promise<void> {
    const { to, subject, text, html } = mail;
    const message = { from: this.from, to: { name: '', address: to }, subject, text };
    try {
      await this.#transport.sendMail({
        ...message,
        ...(html ? { html } : {}),
        ...threadingOf(mail, domainOf(this.from)),
      });
    } catch (error) {
      throw mailError(error);
    }
  }

  close(): void {
    this.#transport.close();
  }
}

function transport(smtpUrl: string) {
  return createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: 1,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // A subject or text never makes the hub read a file or fetch a URL.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** Headers by which clients sort, join and do not answer the mail. */
function threadingOf({ id, thread, list }: Mail, domain: string) {
  const root = thread
    ? `<${createHash('sha256').update(thread).digest('hex').slice(0, 32)}@${domain}>`
    : undefined;
  return {
    ...(id ? { messageId: `<${id}@${domain}>` } : {}),
    ...(root ? { inReplyTo: root, references: [root] } : {}),
    ...(list ? { list: { id: { url: `${list}.${domain}`, comment: 'Audience hub' } } } : {}),
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
  };
}

function domainOf(from: string): string {
  return /@([\w.-]+)/.exec(from)?.[1] ?? 'localhost';
}

/** Servers repeat addresses in their answers, so only code and status are told. */
function mailError(error: unknown): MailError {
  const { code = 'UNKNOWN', responseCode } = error as { code?: string; responseCode?: number };
  const status = responseCode === undefined ? '' : `, status ${responseCode}`;
  const refused = responseCode !== undefined && responseCode >= 500 && code !== 'EAUTH';
  return new MailError(`The mail server did not take the mail (${code}${status}).`, !refused);
}
