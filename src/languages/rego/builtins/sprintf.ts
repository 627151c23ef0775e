import { remembered } from "../../../core/remembered.ts";
import { stringType } from "../types/type.ts";
import { floatOf, int64Of, isNumber, numberText } from "../values/number.ts";
import { printValue, quote } from "../values/print.ts";
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

type Verb = "s" | "d" | "v" | "q";

/** A format of plain verbs only: a text before each verb, and one behind the last. */
interface PlainFormat {
  readonly texts: readonly string[];
  readonly verbs: readonly Verb[];
}

const plainVerb = /%([sdvq])/g;

/** The usual formats, which need no flags, widths or indexes; read once. */
const plainFormat = remembered(2000, (format): PlainFormat | undefined => {
  const parts = format.split(plainVerb);
  const texts = parts.filter((_, i) => i % 2 === 0);
  const verbs = parts.filter((part, i): part is Verb => i % 2 === 1 && /^[sdvq]$/.test(part));
  return texts.some((text) => text.includes("%")) ? undefined : { texts, verbs };
});

/** One argument under a plain verb; undefined: the verb does not fit it. */
function formatPlain(verb: Verb, arg: Value): string | undefined {
  if (isNumber(arg)) return verb === "s" || verb === "q" || !Number.isSafeInteger(arg) ? undefined : String(arg);
  if (verb === "d") return undefined;
  const text = typeof arg === "string" ? arg : printValue(arg);
  return verb === "q" ? quote(text) : text;
}

function sprintfPlain(format: string, args: readonly Value[]): string | undefined {
  const plain = plainFormat(format);
  if (plain === undefined || plain.verbs.length !== args.length) return undefined;
  let text = plain.texts[0] ?? "";
  for (let i = 0; i < args.length; i++) {
    const part = formatPlain(plain.verbs[i] ?? "v", args[i] ?? null);
    if (part === undefined) return undefined;
    text += part + (plain.texts[i + 1] ?? "");
  }
  return text;
}

export const sprintfBuiltin: Builtin = binary(
  "sprintf",
  [string, array],
  stringType,
  (format, args) => sprintfPlain(format, args) ?? sprintf(format, args.map(argumentOf)),
);
