import { anyType, objectOf, stringType } from "../../types/type.ts";
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
      const text = runTemplate(parseTemplate(source), data, (steps) => context.spend(steps));
      return text.replaceAll("<no value>", "<undefined>");
    } catch (problem) {
      if (problem instanceof TemplateProblem) return failure(`template: template: ${problem.message}`);
      throw problem;
    }
  },
);
