import type { NextFunction, Request, Response } from 'express';

/** How slowly a body may come. */
export interface SlowestBody {
  everyMs: number;
  leastBytes: number;
}

/** 64 KiB a minute: less than any line gives, and enough that nobody holds a place with single bytes. */
const SLOWEST: SlowestBody = { everyMs: 60_000, leastBytes: 65_536 };

/**
 * Cuts the connections of senders that have stalled. Stands for the deadline that Node has for whole requests,
 * which would cut large files on slow lines too.
 */
export function cutSlowBodies({ everyMs, leastBytes }: SlowestBody = SLOWEST) {
  return (request: Request, _response: Response, next: NextFunction): void => {
    const { socket } = request;
    let before = socket.bytesRead;
    const look = setInterval(() => {
      if (request.complete) return clearInterval(look);
      if (socket.bytesRead - before < leastBytes) socket.destroy();
      before = socket.bytesRead;
    }, everyMs);
    look.unref();
    request.once('close', () => clearInterval(look));
    next();
  };
}
