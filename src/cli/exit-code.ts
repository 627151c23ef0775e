/** What the process's exit status says; `docs/reference/exit-codes.md` is the same table for readers. */
export const exitCodes = {
  clean: 0,
  /** Findings at or over `--fail-on`, or failed tests. */
  findings: 1,
  /** Something could not be read or checked, so the result is not complete; it outranks findings. */
  incomplete: 2,
  /** The command line was wrong, or castellan could not start. */
  usage: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
