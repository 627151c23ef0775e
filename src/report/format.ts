import type { Report } from "./report.ts";

export interface FormatOptions {
  /** Terminal colours. */
  readonly color: boolean;
  /** Columns of the terminal; only the table minds. */
  readonly width: number;
  /** Also say why: the check's description, its evidence and where to read more. */
  readonly explain: boolean;
}

/** One output format. The text ends with a line feed. */
export type Formatter = (report: Report, options: FormatOptions) => string;
