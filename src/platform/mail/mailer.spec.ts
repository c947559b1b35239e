import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { callbackify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SMTPServer } from 'smtp-server';
import { createMailer, MailError, type Mailer } from './index.js';

describe('createMailer', () => {
  let server: SMTPServer;
  let received: { from: string; to: string[]; raw: string }[];
  let mailer: Mailer;

  beforeEach(async () => {
    received = [];
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS', 'AUTH'],
      onRcptTo({ address }, _session, callback) {
        const status = { 'unknown@example.com': 550, 'busy@example.com': 451 }[address];
        if (status === undefined) callback();
        else callback(Object.assign(new Error(`<${address}> no`), { responseCode: status }));
      },
      onData(stream, { envelope }, callback) {
        const from = envelope.mailFrom ? envelope.mailFrom.address : '';
        const to = envelope.rcptTo.map(({ address }) => address);
        callbackify(async () => {
          received.push({ from, to, raw: await text(stream) });
        })(callback);
      },
    });
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.server.address() as AddressInfo;
    mailer = createMailer({ smtpUrl: `smtp://127.0.0.1:${port}`, from: 'Hub <hub@example.com>' });
  });
  afterEach(async () => {
    mailer.close();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  const mail = {
    to: 'admin@example.com',
    subject: 'Import failed: Prüfung',
    text: 'Row 3 has no end quote.\n',
  };

  it('hands a mail to the server', async () => {
    expect(mailer.configured).toBe(true);
    await mailer.send(mail);
    expect(received).toMatchObject([{ from: 'hub@example.com', to: ['admin@example.com'] }]);
    expect(received[0]?.raw).toContain('Subject: =?UTF-8?Q?Import_failed=3A_Pr=C3=BCfung?=');
    expect(received[0]?.raw).toContain('Row 3 has no end quote.');
  });

  it('sends to the one address it was given, whatever is written around it', async () => {
    await mailer.send({ ...mail, to: 'admin@example.com', subject: 'a\r\nBcc: other@example.com' });
    expect(received[0]?.to).toEqual(['admin@example.com']);
    expect(received[0]?.raw).not.toMatch(/^Bcc:/m);
  });

  it('carries what clients join, sort and tell copies by', async () => {
    const more = { html: '<p>Row 3</p>', id: 'mail-1', thread: 'import:7', list: 'workspace-5' };
    await mailer.send({ ...mail, ...more });
    await mailer.send({ ...mail, ...more, id: 'mail-2' });
    const [first = '', second = ''] = received.map(({ raw }) => raw.replaceAll(/\r\n\s+/g, ' '));
    expect(first).toMatch(/^Message-ID: <mail-1@example\.com>/im);
    expect(first).toMatch(/^List-ID: .*<workspace-5\.example\.com>/im);
    expect(first).toMatch(/^Auto-Submitted: auto-generated/im);
    expect(first).toContain('text/plain');
    expect(first).toContain('text/html');
    const threadOf = (raw: string) => /^References: (<\S+@example\.com>)/im.exec(raw)?.[1];
    expect(threadOf(first)).toBeDefined();
    expect(threadOf(second)).toBe(threadOf(first));
  });

  it.each([
    ['unknown@example.com', false],
    ['busy@example.com', true],
  ])('says of %s whether to try again (%s), without repeating the address', async (to, retryable) => {
    const refusal = await mailer.send({ ...mail, to }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(MailError);
    expect(refusal).toMatchObject({ retryable });
    expect(String(refusal)).not.toContain(to);
  });

  it('takes a server that is away for something to try again', async () => {
    const away = createMailer({ smtpUrl: 'smtp://127.0.0.1:9', from: 'hub@example.com' });
    await expect(away.send(mail)).rejects.toMatchObject({ name: 'MailError', retryable: true });
    away.close();
  });

  it('without a server sends nothing and says so', async () => {
    const none = createMailer({ from: 'hub@example.com' });
    expect(none.configured).toBe(false);
    await expect(none.send(mail)).rejects.toThrow('Set SMTP_URL');
    none.close();
  });
});
