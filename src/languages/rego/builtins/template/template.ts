import { anyType, objectOf, stringType } from "../../types/type.ts";
import { parseJson } from "../../values/json-parser.ts";
import { printValue } from "../../values/print.ts";
import { RegoObject } from "../../values/value.ts";
import type { Builtin } from "../builtin.ts";
import { binary, declared, failure, object, string } from "../operand.ts";
import { TemplateProblem } from "./ast.ts";
import { parseTemplate } from "./parse.ts";
import { runTemplate } from "./run.ts";

export const templateBuiltin: Builtin = binary(
  "strings.render_template",
  [string, declared(objectOf(stringType, anyType), object)],
  stringType,
  (source, data, context) => {
    try {
      // OPA takes the printed term for JSON, so that sets and keys that are no strings are refused.
      const variables = parseJson(printValue(data));
      if (!variables.ok) return failure(variables.message);
      const root = variables.value instanceof RegoObject ? variables.value : RegoObject.empty;
      const text = runTemplate(parseTemplate(source), root, (steps) => context.spend(steps));
      return text.replaceAll("<no value>", "<undefined>");
    } catch (problem) {
      if (problem instanceof TemplateProblem) return failure(`template: template:${problem.line}: ${problem.message}`);
      throw problem;
    }
  },
);
