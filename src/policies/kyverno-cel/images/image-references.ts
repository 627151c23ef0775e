import { asString, isArray, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import { compileRegex } from "../../../core/regex.ts";
import { variable } from "../../../languages/cel/env.ts";
import { imageLibrary } from "../../../languages/cel/libraries/kyverno/image.ts";
import { boolType, stringType } from "../../../languages/cel/types.ts";
import { kubernetesEnv } from "../../cel/environment.ts";
import type { CelSession } from "../../cel/expression.ts";
import { ExpressionCompiler } from "../../cel/expression-compiler.ts";
import type { DocumentReport } from "../../kyverno/report.ts";
import { evaluateNow } from "../gate.ts";
import { globSource } from "./glob.ts";

/** Whether a policy is about an image. @throws Error where an expression cannot be evaluated */
export type ImageMatcher = (image: string, session: CelSession) => boolean;

function compileOne(
  spec: JsonValue,
  path: JsonPath,
  compiler: ExpressionCompiler,
  report: DocumentReport,
): ImageMatcher | undefined {
  const glob = asString(member(spec, "glob")) ?? "";
  if (glob !== "") {
    const read = globSource(glob);
    const regex = read.ok ? compileRegex(read.source) : read;
    if (regex.ok) return (image) => regex.value.test(image);
    report.error("KYV_BAD_RULE", [...path, "glob"], `is no glob: ${regex.message}`);
    return undefined;
  }
  if ((asString(member(spec, "expression")) ?? "") === "") {
    report.error("KYV_BAD_RULE", path, "either glob or expression must be set");
    return undefined;
  }
  const env = kubernetesEnv().extend({ libraries: [imageLibrary], variables: [variable("ref", stringType)] });
  const expression = compiler.compile(member(spec, "expression"), env, [boolType], [...path, "expression"]);
  return expression && ((image, session) => evaluateNow(expression, session, { ref: image }) === true);
}

/** Compiles `matchImageReferences`: an image that fits one of them, or any where there are none. */
export function compileImageMatcher(specs: JsonValue | undefined, path: JsonPath, report: DocumentReport): ImageMatcher {
  const list = isArray(specs) ? specs : [];
  const compiler = new ExpressionCompiler(report);
  const matchers = list.map((spec, i) => compileOne(spec, [...path, i], compiler, report)).filter((m) => m !== undefined);
  return (image, session) => list.length === 0 || matchers.some((matches) => matches(image, session));
}
