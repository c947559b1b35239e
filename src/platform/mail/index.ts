export { createMailer, MailError, type Mail, type Mailer } from './mailer.js';
