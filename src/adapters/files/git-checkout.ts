import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { findProgram, runProgram } from "./programs.ts";

/** The state of a Git checkout that paths are in. */
export interface CheckoutState {
  /** Its directory, without links. */
  readonly checkout: string;
  /** The commit that is checked out, in full. */
  readonly commit: string;
  /** Whether something below the paths is not as the commit has it: edited, removed, or never added. */
  readonly isDirty: boolean;
}

/** The commit of the first checkout that holds one of the paths; undefined where none does, or Git is not there. */
export async function commitOf(paths: readonly string[], searchPath: string): Promise<string | undefined> {
  const git = findProgram(["git"], searchPath);
  if (git === undefined) return undefined;
  for (const checkout of byCheckout(paths).keys()) {
    const head = await headOf(git.path, checkout);
    if (head !== undefined) return head;
  }
  return undefined;
}

/** Every checkout that holds some of the paths; none where Git is not there, has no commit, or refuses a stranger's checkout. */
export async function checkoutsOf(paths: readonly string[], searchPath: string): Promise<readonly CheckoutState[]> {
  const git = findProgram(["git"], searchPath);
  if (git === undefined) return [];
  const states: CheckoutState[] = [];
  for (const [checkout, below] of byCheckout(paths)) {
    const commit = await headOf(git.path, checkout);
    // A checkout may name a program that watches its files: none of it is run.
    const command = [
      "--no-optional-locks",
      "-C",
      checkout,
      "-c",
      "core.fsmonitor=false",
      "status",
      "--porcelain",
      "--",
      ...below,
    ];
    const status = await runProgram(git.path, command);
    if (commit !== undefined && status.ok) states.push({ checkout, commit, isDirty: status.output !== "" });
  }
  return states;
}

async function headOf(git: string, checkout: string): Promise<string | undefined> {
  const head = await runProgram(git, ["-C", checkout, "rev-parse", "HEAD"]);
  return head.ok ? head.output.trim() : undefined;
}

/** The paths that are in checkouts, without links, by checkout. */
function byCheckout(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const path of paths) {
    if (!existsSync(path)) continue;
    const real = realpathSync.native(path);
    const checkout = checkoutAbove(real);
    if (checkout !== undefined) found.set(checkout, [...(found.get(checkout) ?? []), real]);
  }
  return found;
}

/** The nearest directory above a path, or the path itself, that git keeps: asking git of each path takes a process each. */
function checkoutAbove(real: string): string | undefined {
  for (let at = real; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (dirname(at) === at) return undefined;
  }
}
