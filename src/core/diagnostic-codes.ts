/**
 * Every stable diagnostic code: what it means and what to do about it.
 * `docs/reference/errors.md` is generated from this table.
 */
export const diagnosticCodes = {
  FILE_UNREADABLE: { meaning: "A file or directory could not be read.", next: "Check that it exists and that you may read it." },
  KIND_UNKNOWN: {
    meaning: "A policy directory holds a document of a kind that is not a policy.",
    next: "Remove it from --policies or scan it as an object.",
  },
} as const satisfies Record<string, { meaning: string; next: string }>;

export type DiagnosticCode = keyof typeof diagnosticCodes;
