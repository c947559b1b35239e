import { Program } from '../process/program.js';
import type { InputParts } from '../process/tenant.js';
import type { BucketRequest } from './bucket.js';
import type { Way } from './way.js';

/** A bucket with one object, served from the file by a program of its own. */
export class S3Way implements Way {
  private constructor(
    private readonly bucket: Program,
    readonly input: InputParts,
  ) {}

  static async open(): Promise<S3Way> {
    const bucket = Program.start('ways/bucket.js');
    try {
      const endpoint = await bucket.ask<string>({ do: 'listen' } satisfies BucketRequest);
      return new S3Way(bucket, {
        plugin: 's3-drop',
        settings: { bucket: 'bench', region: 'us-east-1', endpoint, layout: 'repro' },
        credentials: { accessKeyId: 'bench', secretAccessKey: 'bench-secret' },
      });
    } catch (error) {
      await bucket.stop();
      throw error;
    }
  }

  async offer(file: string): Promise<void> {
    await this.bucket.ask({ do: 'serve', path: file } satisfies BucketRequest);
  }

  async takeBack(): Promise<void> {
    await this.bucket.ask({ do: 'serve' } satisfies BucketRequest);
  }

  async close(): Promise<void> {
    await this.bucket.stop();
  }
}
