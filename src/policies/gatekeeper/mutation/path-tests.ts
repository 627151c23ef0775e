import { asString, isArray, type JsonValue, member } from "../../../core/json.ts";
import { formatPath, isPrefix, type MutationPath, parsePath } from "./path.ts";

export type PathCondition = "MustExist" | "MustNotExist";

/** What must or must not be there already, by how many steps lead to it. */
export interface PathTests {
  allows(depth: number, exists: boolean): boolean;
}

export interface PathTest {
  readonly path: MutationPath;
  readonly condition: PathCondition;
}

export type CompiledTests = { readonly ok: true; readonly tests: PathTests } | { readonly ok: false; readonly message: string };

const isCondition = (text: string): text is PathCondition => text === "MustExist" || text === "MustNotExist";

/** Reads `pathTests`. */
export function readPathTests(
  value: JsonValue | undefined,
): { readonly ok: true; readonly tests: readonly PathTest[] } | { readonly ok: false; readonly message: string } {
  const tests: PathTest[] = [];
  for (const entry of isArray(value) ? value : []) {
    const source = asString(member(entry, "subPath")) ?? "";
    const condition = asString(member(entry, "condition")) ?? "";
    if (!isCondition(condition)) {
      return { ok: false, message: `${JSON.stringify(condition)} is neither MustExist nor MustNotExist` };
    }
    const parsed = parsePath(source);
    if (!parsed.ok) return { ok: false, message: `subPath ${JSON.stringify(source)}: ${parsed.message}` };
    tests.push({ path: parsed.path, condition });
  }
  return { ok: true, tests };
}

/** Whether the tests fit the location and each other. */
export function compilePathTests(location: MutationPath, tests: readonly PathTest[]): CompiledTests {
  const wanted = new Map<number, PathCondition>();
  for (const { path, condition } of tests) {
    const shown = formatPath(path);
    if (!isPrefix(path, location)) return { ok: false, message: `subPath ${shown} is no beginning of the location` };
    const depth = path.length - 1;
    const before = wanted.get(depth);
    if (before !== undefined && before !== condition) return { ok: false, message: `${shown} must both exist and not exist` };
    wanted.set(depth, condition);
  }
  const deepestMust = Math.max(-1, ...[...wanted].filter(([, c]) => c === "MustExist").map(([depth]) => depth));
  const highestMustNot = Math.min(Infinity, ...[...wanted].filter(([, c]) => c === "MustNotExist").map(([depth]) => depth));
  if (deepestMust > highestMustNot) {
    return { ok: false, message: `${formatPath(location.slice(0, deepestMust + 1))} must exist in what must not exist` };
  }
  return {
    ok: true,
    tests: {
      allows(depth, exists) {
        const condition = wanted.get(depth);
        return condition === undefined || (condition === "MustExist") === exists;
      },
    },
  };
}
