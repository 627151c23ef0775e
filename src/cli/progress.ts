import type { Io } from "./io.ts";

/** One line on standard error that replaces itself; nothing at all where that is no terminal. */
export interface Progress {
  readonly show: (text: string) => void;
  readonly clear: () => void;
}

const silent: Progress = { show: () => {}, clear: () => {} };
/** Between two updates, in milliseconds. */
const pause = 100;

export function createProgress(io: Io): Progress {
  if (!io.errIsTerminal || io.env["CI"] !== undefined || io.env["TERM"] === "dumb") return silent;
  let shown = 0;
  return {
    show: (text) => {
      const now = io.now();
      if (now - shown < pause) return;
      shown = now;
      io.err(`\r\u001B[K${text}`);
    },
    clear: () => {
      if (shown > 0) io.err("\r\u001B[K");
      shown = 0;
    },
  };
}
