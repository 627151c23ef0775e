import type { FormatOptions } from "./format.ts";
import type { Style } from "./style.ts";

/** What the parts of the table share. */
export interface TableContext extends FormatOptions {
  readonly style: Style;
  /** How a policy's name is shown. */
  readonly policyName: (policy: string) => string;
}

/** Columns before a finding's text: two, the level, two. */
export const indent = "            ";
