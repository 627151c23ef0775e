import type { Builtin } from "./builtin.ts";

/** All builtins by name. */
export const builtins: ReadonlyMap<string, Builtin> = new Map<string, Builtin>();
