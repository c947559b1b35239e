import type { Request, Response } from 'express';

/** A sender that has not stopped so long after it was answered is cut off. */
const LINGER_MS = 2000;

/**
 * For answers that come before the body was read to its end. The rest is thrown away for a moment, so that the
 * sender comes to read the answer (a connection that is closed on it would lose it), and then the connection
 * is cut. Call it before the answer is sent; it changes nothing where the body is at its end by then.
 */
export function refuseRest(request: Request, response: Response): void {
  response.once('finish', () => {
    if (request.complete || request.destroyed) return;
    const cut = setTimeout(() => request.socket.destroy(), LINGER_MS);
    const over = () => clearTimeout(cut);
    request.once('end', over).once('close', over).resume();
  });
}
