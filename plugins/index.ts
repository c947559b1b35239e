import { file } from './file/index.js';
import { folderDrop } from './folder-drop/index.js';
import { s3Drop } from './s3-drop/index.js';
import { webhook } from './webhook/index.js';

/** The plugins that come with the hub. `npm run new:plugin` adds a line. */
export const plugins = [file, folderDrop, s3Drop, webhook] as const;
