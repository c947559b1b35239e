import { Body, Controller, HttpCode, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBasicAuth, ApiBody, ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import {
  Access,
  AccessTokens,
  LogInService,
  Public,
  type ApiClient,
  type LogInResult,
} from '../../tenancy/index.js';
import { CallerGuard, CurrentCaller, type Caller } from '../caller.guard.js';
import { successEnvelope, type SuccessEnvelope } from '../envelope/envelope.js';
import { RequestBudget } from '../limits/request-budget.js';
import { owIdOf } from '../ow-id.js';
import { readLogIn } from './log-in-request.js';

const NOT_ALLOWED = "User doesn't exist or user is not allowed to provided workspace.";

/** An answer and its status. */
interface Answer {
  status: number;
  body: SuccessEnvelope;
}

/** IQM's user access: log in, refresh, log out. */
@ApiTags("IQM's API")
@Controller('api/v3/ua')
export class UaController {
  constructor(
    private readonly logIns: LogInService,
    private readonly tokens: AccessTokens,
    private readonly budget: RequestBudget,
  ) {}

  /** grantType `password` (email, password) or `refresh_token` (refreshToken). */
  @Post('login')
  @Public()
  @HttpCode(200)
  @ApiBasicAuth()
  @ApiHeader({ name: 'X-IAA-HOST', description: 'Workspace URL; not needed to refresh' })
  @ApiBody({
    schema: {
      type: 'object',
      required: ['grantType'],
      properties: {
        grantType: { type: 'string', enum: ['password', 'refresh_token'] },
        email: { type: 'string' },
        password: { type: 'string' },
        refreshToken: { type: 'string' },
      },
    },
  })
  @ApiOkResponse({ description: 'access_token, refresh_token, scope, token_type, expires_in, owId' })
  async logIn(
    @Req() request: Request,
    @Body() body: unknown,
    @Res({ passthrough: true }) response: Response,
  ): Promise<SuccessEnvelope> {
    const client = await this.logIns.clientOf(request.headers.authorization);
    await this.budget.take(client ? `login:${client.id}` : `login-from:${request.ip}`);
    const answer = client
      ? await this.answerTo(client, request, body)
      : refused(401, 'Client ID or Client Secret is not valid.');
    response.status(answer.status);
    return answer.body;
  }

  /** Ends the log-in: its access token and its refresh token are good for nothing any more. */
  @Post('logout')
  @Access('viewer')
  @UseGuards(CallerGuard)
  @HttpCode(200)
  @ApiHeader({ name: 'X-IAA-OW-ID', required: true })
  @ApiOkResponse()
  async logOut(@CurrentCaller() { principal }: Caller): Promise<SuccessEnvelope> {
    if (principal.user) await this.tokens.logOut(principal.keyId);
    return successEnvelope('User logged out successfully.');
  }

  private async answerTo(client: ApiClient, request: Request, body: unknown): Promise<Answer> {
    const asked = readLogIn(body);
    if ('refused' in asked) return refused(400, asked.refused);
    if (asked.grant === 'refresh_token') {
      const result = await this.logIns.refresh(client, asked.refreshToken);
      return result.outcome === 'refused'
        ? refused(401, 'Refresh token is not valid or has expired.')
        : answerOf(result);
    }
    const host = request.headers['x-iaa-host'];
    if (typeof host !== 'string' || host.trim() === '') return refused(400, 'X-IAA-HOST can not be null.');
    const { email, password } = asked;
    return answerOf(await this.logIns.logIn(client, { host, email, password }));
  }
}

function answerOf(result: LogInResult): Answer {
  switch (result.outcome) {
    case 'refused':
      return refused(403, NOT_ALLOWED);
    case 'on hold': {
      const { reason, supportEmail } = result.hold;
      const error = 'User is not allowed to access provided customer';
      const errorObjects = [{ error, reason: 'User is not associated with any active organization.' }];
      return {
        status: 400,
        body: { success: false, data: { status: 'On Hold', reason, supportEmail }, errorObjects },
      };
    }
    case 'in': {
      const owId = owIdOf(result.organization);
      if (owId === undefined) return refused(403, NOT_ALLOWED);
      const { accessToken, refreshToken, expiresInSeconds } = result.tokens;
      const data = {
        access_token: accessToken,
        refresh_token: refreshToken,
        scope: 'read write',
        token_type: 'bearer',
        expires_in: expiresInSeconds,
        owId,
      };
      return { status: 200, body: successEnvelope(data) };
    }
  }
}

function refused(status: number, error: string): Answer {
  return { status, body: { success: false, errorObjects: [{ error }] } };
}
