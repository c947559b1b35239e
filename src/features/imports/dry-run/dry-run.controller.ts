import { PassThrough } from 'node:stream';
import { Body, Controller, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { HubError } from '../../../domain/errors/index.js';
import { layoutRules } from '../../../kit/index.js';
import { IdParam, readForm, refuseRest } from '../../http/index.js';
import { Access, CurrentPrincipal, type Principal } from '../../tenancy/index.js';
import { PreflightOfInput, PreflightQuery, PreflightView, showDryRun } from './dry-run.dto.js';
import { DryRunService } from './dry-run.service.js';
import { DryScanService } from './dry-scan.service.js';
import { DRY_RUN_TIMEOUT_MS } from './failures.js';

/** Types under which a file may come: as text, or as bytes that say nothing of themselves. */
export const FILE_TYPES = [
  'text/csv',
  'text/plain',
  'text/tab-separated-values',
  'application/octet-stream',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
];

const FORM = 'multipart/form-data';

@ApiTags('Imports')
@Controller()
export class DryRunController {
  constructor(
    private readonly dryRuns: DryRunService,
    private readonly dryScans: DryScanService,
  ) {}

  @Post('preflight')
  @Access('editor')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Checks a file that is sent as the body, or in a form, as its import would; nothing is written',
    description:
      'Answers 200 whatever the verdict. Takes up to five minutes for the largest files. A form has it in the field `file`.',
  })
  @ApiConsumes(...FILE_TYPES, FORM)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiOkResponse({ type: PreflightView })
  async push(
    @CurrentPrincipal() principal: Principal,
    @Query() query: PreflightQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ) {
    if (typeOf(request) === FORM) return this.pushForm(principal, query, request, response);
    assertFile(request, response);
    const length = Number(request.headers['content-length']);
    const sizeBytes = Number.isFinite(length) ? length : undefined;
    const { workspaceId, layout, format, audienceId, onUnknown } = query;
    // Not the request itself: whoever stops reading in the middle would close the connection before the answer.
    const body = request.pipe(new PassThrough());
    const pushed = { workspaceId, layout, format, audienceId, onUnknown, sizeBytes, body };
    try {
      return showDryRun(await this.dryRuns.push(principal, pushed, signalOf(response)));
    } catch (error) {
      // The rest of a body that nobody reads is not waited for.
      response.setHeader('connection', 'close');
      throw error;
    }
  }

  private async pushForm(principal: Principal, query: PreflightQuery, request: Request, response: Response) {
    refuseRest(request, response);
    const signal = signalOf(response);
    const { workspaceId, layout, format, audienceId, onUnknown } = query;
    const asked = { workspaceId, layout, format, audienceId, onUnknown };
    const { maxBytes } = layoutRules(layout).shape;
    const { file } = await readForm(request, maxBytes, ({ name, body }) =>
      this.dryRuns.push(principal, { ...asked, fileName: name, sizeBytes: undefined, body }, signal),
    );
    if (file === undefined) throw new HubError('MALFORMED_BODY', 'The form has no file in the field "file".');
    return showDryRun(file);
  }

  @Post('inputs/:id/preflight')
  @Access('editor')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Checks the file at a key of the input, as its import would; nothing is written',
    description: 'Answers 200 whatever the verdict. Takes up to five minutes for the largest files.',
  })
  @ApiOkResponse({ type: PreflightView })
  async ofInput(
    @CurrentPrincipal() principal: Principal,
    @IdParam('input') id: string,
    @Body() body: PreflightOfInput,
    @Res({ passthrough: true }) response: Response,
  ) {
    return showDryRun(await this.dryScans.file(principal, id, body.key, signalOf(response)));
  }
}

/** Aborts where the time is up, and where nobody waits for the answer any longer. */
export function signalOf(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, AbortSignal.timeout(DRY_RUN_TIMEOUT_MS)]);
}

function typeOf({ headers }: Request): string {
  const [type = ''] = (headers['content-type'] ?? 'application/octet-stream').split(';', 1);
  return type.trim().toLowerCase();
}

/** Throws MEDIA_TYPE_UNSUPPORTED where the body is no file. */
export function assertFile(request: Request, response: Response): void {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (FILE_TYPES.includes(typeOf(request)) && encoding === 'identity') return;
  response.setHeader('connection', 'close');
  throw new HubError(
    'MEDIA_TYPE_UNSUPPORTED',
    `Send the file itself as the body, not compressed, as ${FILE_TYPES.join(', ')}; or in a form, as ${FORM}.`,
  );
}
