import type { ExitCode } from "../src/cli/exit-code.ts";
import type { Io } from "../src/cli/io.ts";
import { run } from "../src/cli/run.ts";

export interface CliResult {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line inside this process; standard input is not connected. */
export async function runCli(argv: readonly string[], io: Partial<Io> = {}): Promise<CliResult> {
  let out = "";
  let err = "";
  const code = await run(argv, "0.0.0-test", {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    env: {},
    outColumns: undefined,
    errIsTerminal: false,
    now: () => Date.UTC(2026, 10, 21, 12),
    ...io,
  });
  return { code, out, err };
}
