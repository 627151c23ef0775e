import type { Token } from "./lexer.ts";

const literals = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER";
const infix = "'==', '!=', 'in', '<', '<=', '>=', '>', '&&', '||'";
const arithmetic = "'+', '*', '/', '%'";

/** What may stand at a place, in the notation of cel-go's grammar. */
export const expecting = {
  expression: `{'[', '{', '(', '.', '-', '!', ${literals}}`,
  afterExpression: `{<EOF>, ${infix}, '[', '{', '.', '-', '?', ${arithmetic}}`,
  closeParenthesis: `{${infix}, '[', '{', ')', '.', ',', '-', '?', ${arithmetic}}`,
  field: "{'?', IDENTIFIER, ESC_IDENTIFIER}",
  structField: "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}",
} as const;

/** The message for a token that cannot stand where it stands. */
export function mismatch(token: Token, expected: string): string {
  // Where one token is all that is missing, ANTLR supplies it.
  if (token.kind === "end" && expected === expecting.closeParenthesis) return "Syntax error: missing ')' at '<EOF>'";
  return `Syntax error: mismatched input '${token.text.replaceAll("\n", "\\n")}' expecting ${expected}`;
}
