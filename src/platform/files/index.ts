export { FileMissingError, InvalidKeyError, joined, OWN_FOLDERS, StorageFullError } from './file-store.js';
export type { ByteRange, Drafts, FileBody, FileStat, FileStore } from './file-store.js';
export { FolderFileStore } from './folder-file-store.js';
export { openFileStore, openS3Client, type S3Access } from './open-file-store.js';
export { S3FileStore, type S3Place } from './s3-file-store.js';
export { Destinations, type DestinationRules } from './destinations.js';
