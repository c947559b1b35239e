import { and, eq } from 'drizzle-orm';
import type { SourceFile } from '../../../kit/index.js';
import {
  workspaces,
  type Database,
  type ImportProblem,
  type inputs,
} from '../../../platform/database/index.js';

type Input = typeof inputs.$inferSelect;

/** Whose a file is, or why nobody's. */
export type Route = { workspaceId: string } | { problem: ImportProblem };

/**
 * Finds the workspaces of a scan's files. The seat id in a key decides, among the seats of the input's
 * organization; an input of a single workspace reaches its own seat only.
 */
export class Router {
  private readonly seats = new Map<string, Route>();

  constructor(
    private readonly db: Database,
    private readonly input: Input,
  ) {}

  async route(file: SourceFile): Promise<Route> {
    if (file.workspace.by === 'input') return { workspaceId: this.input.workspaceId };
    const { seatId } = file.workspace;
    const known = this.seats.get(seatId);
    if (known !== undefined) return known;
    const route = await this.find(seatId);
    this.seats.set(seatId, route);
    return route;
  }

  private async find(seatId: string): Promise<Route> {
    const [own] = await this.db
      .select({ organizationId: workspaces.organizationId })
      .from(workspaces)
      .where(eq(workspaces.id, this.input.workspaceId));
    if (own === undefined) return { problem: seatUnknown(seatId) };
    const [seat] = await this.db
      .select({ id: workspaces.id })
      .from(workspaces)
      .where(and(eq(workspaces.organizationId, own.organizationId), eq(workspaces.seatId, seatId)));
    if (seat === undefined) return { problem: seatUnknown(seatId) };
    if (this.input.routing === 'workspace' && seat.id !== this.input.workspaceId) {
      return { problem: seatNotReached(seatId) };
    }
    return { workspaceId: seat.id };
  }
}

/**
 * The revision under which a file is remembered. A file that nobody's seat is remembered with its reason, so
 * that it is listed once, and taken up by itself when the seat is registered.
 */
export function rememberedRevision(file: { revision: string }, route: Route): string {
  return 'problem' in route ? `${file.revision}#seat:${route.problem.code}` : file.revision;
}

/** A remembered revision as the connector knows it. */
export function plainRevision(remembered: string): string {
  return remembered.split('#seat:')[0] ?? remembered;
}

function seatUnknown(seatId: string): ImportProblem {
  return {
    code: 'SEAT_UNKNOWN',
    message: `No workspace of this organization has the seat id "${seatId}". Register the seat (a workspace with this seatId) and the next scan takes the file up, or correct the path.`,
  };
}

function seatNotReached(seatId: string): ImportProblem {
  return {
    code: 'SEAT_NOT_REACHED',
    message: `This input reads files for its own workspace only, and the path names the seat "${seatId}". An admin of the organization can let the input route to all seats.`,
  };
}
