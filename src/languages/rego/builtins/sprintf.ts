import { stringType } from "../types/type.ts";
import { floatOf, int64Of, isNumber, numberText } from "../values/number.ts";
import { printValue } from "../values/print.ts";
import type { Value } from "../values/value.ts";
import type { Builtin } from "./builtin.ts";
import { type PrintfArgument, sprintf } from "./go-printf.ts";
import { array, binary, string } from "./operand.ts";

/** Numbers with a point or an exponent are float64; others int64, or big.Int where they do not fit. */
function argumentOf(value: Value): PrintfArgument {
  if (typeof value === "string") return { kind: "string", value };
  if (!isNumber(value)) return { kind: "string", value: printValue(value) };
  const text = numberText(value);
  if (/[.eE]/.test(text)) {
    const float = floatOf(value);
    return Number.isFinite(float) ? { kind: "float64", value: float } : { kind: "string", value: text };
  }
  const small = int64Of(value);
  return small === undefined ? { kind: "big.Int", value: BigInt(text) } : { kind: "int64", value: small };
}

const simple = /^(?:[^%]|%[sdv])*$/;

/** The usual formats, `%s`, `%d` and `%v` of what fits them and no more, without the machinery of all others. */
function sprintfFast(format: string, args: readonly Value[]): string | undefined {
  if (!simple.test(format)) return undefined;
  const parts = format.split("%");
  if (parts.length !== args.length + 1) return undefined;
  let text = parts[0] ?? "";
  for (let i = 0; i < args.length; i++) {
    const part = parts[i + 1] ?? "";
    const arg = args[i] ?? null;
    const verb = part.charCodeAt(0);
    if (typeof arg === "string" ? verb === 0x64 : isNumber(arg) ? verb === 0x73 || !Number.isSafeInteger(arg) : verb === 0x64) {
      return undefined;
    }
    text += (typeof arg === "string" ? arg : typeof arg === "number" ? String(arg) : printValue(arg)) + part.slice(1);
  }
  return text;
}

export const sprintfBuiltin: Builtin = binary(
  "sprintf",
  [string, array],
  stringType,
  (format, args) => sprintfFast(format, args) ?? sprintf(format, args.map(argumentOf)),
);
