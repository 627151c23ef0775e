import { Socket } from "node:net";
import type pg from "pg";

const lookMilliseconds = 500;

/**
 * Closes a connection on which an answer is awaited and no byte moves for so long: packets that go nowhere are no error to a socket, for a
 * quarter of an hour or for ever. What was asked fails then, and the pool makes a new connection. `limit` undefined: for as long as it takes.
 */
export function closeWhenSilent(client: pg.ClientBase, limit: () => number | undefined): void {
  const stream: unknown = "connection" in client ? Object(client.connection).stream : undefined;
  if (!(stream instanceof Socket)) throw new Error("the connection to PostgreSQL has no socket");
  let moved = -1;
  let since = 0;
  // A timer of the socket's own: it goes with it, and keeps no process alive.
  stream.setTimeout(lookMilliseconds);
  stream.on("timeout", () => {
    stream.setTimeout(lookMilliseconds);
    const bytes = stream.bytesRead + stream.bytesWritten;
    if (bytes !== moved || !isAwaited(client)) {
      moved = bytes;
      since = performance.now();
      return;
    }
    const most = limit();
    if (most !== undefined && performance.now() - since >= most)
      stream.destroy(new Error(`PostgreSQL did not answer within ${most} ms`));
  });
}

/** Whether the client waits for the answer to a query; `pg` tells it by what it is ready for. */
const isAwaited = (client: pg.ClientBase): boolean => "readyForQuery" in client && client.readyForQuery === false;
