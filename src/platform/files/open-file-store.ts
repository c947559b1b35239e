import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { FilesLocation } from '../env/index.js';
import type { FileStore } from './file-store.js';
import { FolderFileStore } from './folder-file-store.js';
import { S3FileStore } from './s3-file-store.js';

/** How an S3 service is reached. */
export interface S3Access {
  /** Absent: AWS. */
  endpoint?: string;
  region?: string;
  /** Absent: the SDK's own chain (role, profile, environment). */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** Given to the SDK as it is; carries the egress guard's agents. */
  requestHandler?: S3ClientConfig['requestHandler'];
}

/** The store of HUB_FILES. */
export function openFileStore(location: FilesLocation): FileStore {
  if (location.kind === 'folder') return new FolderFileStore(location.path);
  return new S3FileStore(openS3Client(location), location);
}

/**
 * A client for any S3 service. With an endpoint of one's own, buckets are a part of the path: few such
 * services have a host name per bucket.
 */
export function openS3Client(access: S3Access): S3Client {
  return new S3Client({
    endpoint: access.endpoint,
    forcePathStyle: access.endpoint !== undefined,
    region: access.region ?? process.env.AWS_REGION ?? 'us-east-1',
    credentials: access.credentials,
    requestHandler: access.requestHandler,
    // Other services than AWS do not all know the newer checksums; they are sent where S3 demands them.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}
