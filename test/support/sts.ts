import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Who may take a role on. */
export interface Trust {
  roleArn: string;
  externalId?: string;
}

/** A session that was given, and the key that asked for it. */
export interface GivenSession {
  accessKeyId: string;
  by: string | undefined;
}

/**
 * A server on a free port of this machine that gives sessions of roles as AWS STS does (AssumeRole, query
 * protocol), to whoever names the role and its external id.
 */
export class Sts {
  readonly given: GivenSession[] = [];
  /** How long the next sessions last. */
  lastsMs = 3_600_000;

  private constructor(
    readonly url: string,
    private readonly server: Server,
    private readonly trust: Trust,
  ) {}

  static async start(trust: Trust): Promise<Sts> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const sts = new Sts(`http://127.0.0.1:${port}`, server, trust);
    server.on('request', (request, response) => {
      const by = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1];
      void text(request).then((body) => {
        const { status, xml } = sts.answer(new URLSearchParams(body), by);
        response.writeHead(status, { 'content-type': 'text/xml' }).end(xml);
      });
    });
    return sts;
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(asked: URLSearchParams, by: string | undefined): { status: number; xml: string } {
    const isTrusted =
      asked.get('Action') === 'AssumeRole' &&
      asked.get('RoleArn') === this.trust.roleArn &&
      asked.get('ExternalId') === (this.trust.externalId ?? null);
    if (!isTrusted) return { status: 403, xml: refusal };
    const accessKeyId = `ASIA${String(this.given.length + 1).padStart(16, '0')}`;
    this.given.push({ accessKeyId, by });
    return { status: 200, xml: sessionXml(accessKeyId, new Date(Date.now() + this.lastsMs)) };
  }
}

const NAMESPACE = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"';

const refusal = `<ErrorResponse ${NAMESPACE}><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRole</Message></Error><RequestId>r</RequestId></ErrorResponse>`;

function sessionXml(accessKeyId: string, expiration: Date): string {
  const credentials = `<AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>secret-of-${accessKeyId}</SecretAccessKey><SessionToken>token-of-${accessKeyId}</SessionToken><Expiration>${expiration.toISOString()}</Expiration>`;
  return `<AssumeRoleResponse ${NAMESPACE}><AssumeRoleResult><Credentials>${credentials}</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
}
