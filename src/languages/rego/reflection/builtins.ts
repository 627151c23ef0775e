import { type Builtin, BuiltinError } from "../builtins/builtin.ts";
import { formatIssue } from "../issue.ts";
import { parseModule } from "../syntax/module-parser.ts";
import { anyType, arrayOf, fn, objectOf, stringType } from "../types/type.ts";
import { kindOf } from "../values/print.ts";
import { moduleValue } from "./module-json.ts";

function metadata(name: string, result: Parameters<typeof fn>[1]): Builtin {
  return {
    name,
    type: fn([], result),
    call: () => new BuiltinError("eval_builtin_error", `the ${name} function must only be called within the scope of a rule`),
  };
}

/** Builtins about Rego itself. Calls of `rego.metadata` in rules are replaced when they are compiled. */
export const reflectionBuiltins: readonly Builtin[] = [
  metadata("rego.metadata.chain", arrayOf(anyType)),
  metadata("rego.metadata.rule", anyType),
  {
    name: "rego.parse_module",
    type: fn([stringType, stringType], objectOf(stringType, anyType)),
    call: ([file = null, source = null]) => {
      for (const operand of [file, source]) {
        if (typeof operand === "string") continue;
        return new BuiltinError("eval_type_error", `operand 1 must be string but got ${kindOf(operand)}`);
      }
      const parsed = parseModule(String(file), String(source));
      if (parsed.ok) return moduleValue(parsed.value);
      const texts = parsed.issues.map(formatIssue);
      const count = texts.length === 1 ? "1 error occurred: " : `${texts.length} errors occurred:\n`;
      return new BuiltinError("eval_builtin_error", `${count}${texts.join("\n")}`);
    },
  },
];
