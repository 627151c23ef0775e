import { compareSemver, parseSemver } from "../../../core/semver.ts";
import { booleanType, numberType } from "../types/type.ts";
import { quote } from "../values/print.ts";
import type { Builtin } from "./builtin.ts";
import { any, binary, failure, string, unary } from "./operand.ts";

/** A semantic version; a leading `v` is allowed. */
const parse = (text: string) => parseSemver(text.replace(/^v/, ""));

export const semverBuiltins: readonly Builtin[] = [
  binary("semver.compare", [string, string], numberType, (a, b) => {
    const left = parse(a);
    const right = parse(b);
    if (left === undefined) return failure(`operand 1: string ${quote(a)} is not a valid SemVer`);
    if (right === undefined) return failure(`operand 2: string ${quote(b)} is not a valid SemVer`);
    return Math.sign(compareSemver(left, right));
  }),
  unary("semver.is_valid", any, booleanType, (value) => typeof value === "string" && parse(value) !== undefined),
];
