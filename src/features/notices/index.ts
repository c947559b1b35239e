export { MailStreams } from './mail-streams.js';
export { NoticesModule } from './notices.module.js';
export { Notices, type Notice } from './notices.service.js';
export { Recipients } from './recipients.js';
