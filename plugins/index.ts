import { apiUpload } from './api-upload/index.js';
import { braze } from './braze/index.js';
import { file } from './file/index.js';
import { firehose } from './firehose/index.js';
import { folderDrop } from './folder-drop/index.js';
import { googleCustomerMatch } from './google-customer-match/index.js';
import { l2Universe } from './l2-universe/index.js';
import { mailchimp } from './mailchimp/index.js';
import { metaCustomAudiences } from './meta-custom-audiences/index.js';
import { s3Drop } from './s3-drop/index.js';
import { sftp } from './sftp/index.js';
import { webhook } from './webhook/index.js';

/** The plugins that come with the hub. `npm run new:plugin` adds a line. */
export const plugins = [
  apiUpload,
  braze,
  file,
  firehose,
  folderDrop,
  googleCustomerMatch,
  l2Universe,
  mailchimp,
  metaCustomAudiences,
  s3Drop,
  sftp,
  webhook,
] as const;
