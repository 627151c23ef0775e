import type { LiteralExpr } from "./ast.ts";
import type { Token } from "./lexer.ts";
import { unquoteBytes, unquoteString } from "./literals.ts";
import { boolType, bytesType, type CelType, doubleType, intType, nullType, stringType, uintType } from "./types.ts";
import { makeDouble, makeInt, makeUint } from "./values/numbers.ts";
import { Bytes, CelError, type CelValue } from "./values/value.ts";

type Literal = Omit<LiteralExpr, "id">;

function literal(value: CelValue, type: CelType): Literal {
  return { kind: "literal", value, type };
}

/** The literal that a token spells, or what is wrong with it; a text makes a string literal. */
export function literalOf(text: string): Literal;
export function literalOf(token: Token, negative: boolean): Literal | string;
export function literalOf(token: Token | string, negative = false): Literal | string {
  if (typeof token === "string") return literal(token, stringType);
  switch (token.kind) {
    case "int": {
      const value = makeInt(negative ? -BigInt(token.text) : BigInt(token.text));
      return value instanceof CelError ? "invalid int literal" : literal(value, intType);
    }
    case "uint": {
      const value = makeUint(BigInt(token.text.slice(0, -1)));
      return value instanceof CelError ? "invalid uint literal" : literal(value, uintType);
    }
    case "float": {
      const value = Number(token.text);
      return Number.isFinite(value) ? literal(makeDouble(negative ? -value : value), doubleType) : "invalid double literal";
    }
    case "string": {
      const value = unquoteString(token.text);
      return value === undefined ? "unable to unescape string" : literal(value, stringType);
    }
    case "bytes": {
      const value = unquoteBytes(token.text);
      return value === undefined ? "unable to unescape string" : literal(new Bytes(value), bytesType);
    }
    default:
      return token.text === "null" ? literal(null, nullType) : literal(token.text === "true", boolType);
  }
}
