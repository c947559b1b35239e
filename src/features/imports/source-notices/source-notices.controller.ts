import { Body, Controller, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { eq } from 'drizzle-orm';
import { HubError } from '../../../domain/errors/index.js';
import { ContextFactory } from '../../../host/context/index.js';
import { isConnectorError } from '../../../kit/index.js';
import { inputs, type Database } from '../../../platform/database/index.js';
import { InjectDatabase } from '../../../platform/nest/index.js';
import { Public } from '../../tenancy/index.js';
import { ScanService } from '../scan/scan.service.js';
import { noticesOf } from './source-notices.worker.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** A caller is answered before it gives up; what was not done is done by the next visit. */
const TIMEOUT_MS = 25_000;

/** What came of a notification. */
export class SourceNoticeView {
  @ApiProperty({ description: 'Imports that were queued', type: [String] })
  queued: string[] = [];
}

/** Event notifications of buckets, sent to the hub. */
@ApiTags('Inputs')
@Controller('hooks/s3')
export class SourceNoticesController {
  constructor(
    @InjectDatabase() private readonly db: Database,
    private readonly contexts: ContextFactory,
    private readonly scans: ScanService,
  ) {}

  @Post(':id')
  @Public()
  @HttpCode(202)
  @ApiOperation({ summary: 'Look at the keys that an S3 event notification names' })
  @ApiBody({ schema: { type: 'object', description: 'As S3, SNS or EventBridge sends it' } })
  @ApiAcceptedResponse({ type: SourceNoticeView })
  async tell(
    @Param('id') id: string,
    @Headers() headers: Record<string, string>,
    @Body() body: unknown,
  ): Promise<SourceNoticeView> {
    const [input] = UUID.test(id) ? await this.db.select().from(inputs).where(eq(inputs.id, id)) : [];
    if (!input?.enabled) throw refused();
    const ready = await this.contexts.input(input);
    const notices = noticesOf(ready.plugin);
    if (notices === undefined) throw refused();
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      notices.authenticate(ready.context(signal), { headers });
      const { queued } = await this.scans.scanKeys(input, notices.keysOf(ready.settings, body), signal);
      return { queued };
    } catch (error) {
      if (isConnectorError(error) && error.kind === 'auth' && error.code === 'WEBHOOK_SECRET')
        throw refused();
      if (isConnectorError(error) && error.kind === 'permanent')
        throw new HubError('BAD_REQUEST', error.message);
      const failure = isConnectorError(error) ? error : ready.failure(error);
      throw new HubError('UNAVAILABLE', `${failure.message} (${failure.code})`);
    }
  }
}

/** The same for an input that is not there and a secret that is wrong: nobody can find out which ids there are. */
function refused(): HubError {
  return new HubError('UNAUTHENTICATED', 'Send "Authorization: Bearer" with the webhookSecret of the input.');
}
