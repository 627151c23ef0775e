import process from "node:process";

/** The process as commands see it, so that tests can run them inside their own. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: { readonly [name: string]: string | undefined };
  /** Columns where standard output is a terminal, undefined where it is not. */
  readonly outColumns: number | undefined;
  readonly errIsTerminal: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function processIo(): Io {
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    env: process.env,
    outColumns: process.stdout.isTTY ? process.stdout.columns : undefined,
    errIsTerminal: process.stderr.isTTY === true,
    now: Date.now,
  };
}

/** Colours only on a terminal, never with NO_COLOR (no-color.org); FORCE_COLOR and CI logs that show colours can ask for them. */
export function wantsColor(io: Io): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = io.env;
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0") return true;
  return io.outColumns !== undefined && TERM !== "dumb";
}
