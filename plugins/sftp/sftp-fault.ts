import { isNativeError } from 'node:util/types';
import { type ConnectorError, fault, isConnectorError } from '../../src/kit/index.js';

/** Status codes of SFTP, version 3, and the two of later versions that some servers send all the same. */
export const STATUS = {
  NO_SUCH_FILE: 2,
  PERMISSION_DENIED: 3,
  FAILURE: 4,
  UNSUPPORTED: 8,
  NO_SPACE: 14,
  QUOTA_EXCEEDED: 15,
} as const;

const NO_SPACE_WORDS = /no space|disk full|quota/i;

/** What went wrong on the server, for `host` and the step that was tried. Never repeats the server's words. */
export function sftpFaultOf(error: unknown, host: string, step: string): unknown {
  if (isConnectorError(error) || !isNativeError(error)) return error;
  const code = 'code' in error ? error.code : undefined;
  const at = `${host}, ${step}`;
  if (code === STATUS.NO_SPACE || code === STATUS.QUOTA_EXCEEDED || NO_SPACE_WORDS.test(error.message)) {
    return fault.retryable(
      'STORAGE_FULL',
      `${at}: the server has no room left. Make room, or raise the quota.`,
    );
  }
  if (code === STATUS.PERMISSION_DENIED) {
    return fault.auth('ACCESS_DENIED', `${at}: the user may not do this. Grant it the right on the server.`);
  }
  if (code === STATUS.NO_SUCH_FILE) {
    return fault.config(
      'DESTINATION_UNUSABLE',
      `${at}: the folder is not there and cannot be made, or a file stands in its way. Correct the directory.`,
    );
  }
  if (code === STATUS.UNSUPPORTED) {
    return fault.config(
      'SFTP_UNSUITABLE',
      `${at}: the server does not support this. Ask its operator for SFTP with rename and writing at an offset.`,
    );
  }
  if (code === STATUS.FAILURE) {
    return fault.retryable(
      'SFTP_FAILED',
      `${at}: the server failed without a reason. Is its disk full, or a folder where the file should be?`,
    );
  }
  return lost(host, step);
}

/** Why nobody was logged in. */
export function loginFaultOf(error: unknown, host: string, username: string): unknown {
  if (isConnectorError(error) || !isNativeError(error)) return error;
  const { message } = error;
  const level = 'level' in error ? error.level : undefined;
  if (/privateKey|passphrase|private key/i.test(message)) {
    return fault.auth(
      'KEY_UNUSABLE',
      `The private key for ${host} cannot be read: is it whole, in OpenSSH or PEM format, and its passphrase right?`,
    );
  }
  if (level === 'client-authentication') {
    return fault.auth(
      'LOGIN_REFUSED',
      `${host} refused the password or key of ${username}. Put in new ones, or have the user unlocked.`,
    );
  }
  if (level === 'client-timeout') {
    return fault.retryable('TIMEOUT', `${host} did not finish the SSH handshake in time.`);
  }
  if (/no matching/i.test(message)) {
    return fault.config(
      'SFTP_UNSUITABLE',
      `${host} and the hub found no common SSH algorithms. Ask its operator for newer ones.`,
    );
  }
  return lost(host, 'while logging in');
}

function lost(host: string, step: string): ConnectorError {
  return fault.retryable('CONNECTION_LOST', `${host}, ${step}: the connection broke.`);
}
