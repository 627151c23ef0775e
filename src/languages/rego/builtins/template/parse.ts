import { quote } from "../../values/print.ts";
import { type Command, type Constant, type Part, type Pipeline, type Template, TemplateProblem, type Word } from "./ast.ts";
import { functionNames } from "./functions.ts";

/** Deeper templates are refused: they are read and run recursively. */
const deepest = 200;

/** A text, or what stands between `{{` and `}}`. */
interface Piece {
  readonly isAction: boolean;
  readonly text: string;
  readonly line: number;
}

const lineAt = (source: string, at: number): number => source.slice(0, at).split("\n").length;

function split(source: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let text = "";
  let at = 0;
  let trims = false;
  const addText = (part: string) => {
    text += trims ? part.trimStart() : part;
  };
  for (;;) {
    const open = source.indexOf("{{", at);
    addText(source.slice(at, open < 0 ? undefined : open));
    if (open < 0) break;
    const cutsLeft = /^-\s/.test(source.slice(open + 2, open + 4));
    if (cutsLeft) text = text.trimEnd();
    const inside = actionEnd(source, open + 2);
    pieces.push({ isAction: false, text, line: 1 });
    text = "";
    trims = /\s-$/.test(source.slice(open + 2, inside));
    const action = source.slice(open + (cutsLeft ? 3 : 2), trims ? inside - 1 : inside).trim();
    if (!action.startsWith("/*")) pieces.push({ isAction: true, text: action, line: lineAt(source, open) });
    else if (!action.endsWith("*/")) throw new TemplateProblem("comment ends before closing delimiter");
    at = inside + 2;
  }
  return [...pieces, { isAction: false, text, line: 1 }];
}

const literal = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+'|\/\*[\s\S]*?\*\/|[\s\S]/y;

/** Where an action ends; braces in quotes do not count. */
function actionEnd(source: string, start: number): number {
  for (let at = start; at < source.length; ) {
    if (source.startsWith("}}", at)) return at;
    literal.lastIndex = at;
    at += literal.exec(source)?.[0].length ?? 1;
  }
  throw new TemplateProblem("unclosed action");
}

/** Reads a template. @throws TemplateProblem */
export function parseTemplate(source: string): Template {
  const reader = new PartReader(split(source));
  const parts = reader.parts([], 0);
  return { parts: parts.items, named: reader.named };
}

interface Ended {
  readonly items: readonly Part[];
  /** The action that ended them: `end`, `else ...`; undefined at the end of the text. */
  readonly end: string | undefined;
}

class PartReader {
  readonly named = new Map<string, readonly Part[]>();
  readonly #pieces: readonly Piece[];
  #at = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  parts(ends: readonly string[], depth: number): Ended {
    if (depth > deepest) throw new TemplateProblem("the template nests too deep");
    const items: Part[] = [];
    for (let piece = this.#pieces[this.#at++]; piece !== undefined; piece = this.#pieces[this.#at++]) {
      const { isAction, text } = piece;
      if (!isAction) {
        if (text !== "") items.push({ kind: "text", text });
        continue;
      }
      const word = /^[a-z]+(?![\w.])/.exec(text)?.[0] ?? "";
      if (ends.includes(word)) return { items, end: text };
      const part = this.#located(piece.line, () => this.#action(word, text.slice(word.length).trim(), text, depth));
      if (part !== undefined) items.push(part);
    }
    if (ends.length > 0) throw new TemplateProblem("unexpected EOF");
    return { items, end: undefined };
  }

  /** Problems are told with the line of the innermost action. */
  #located<T>(line: number, read: () => T): T {
    try {
      return read();
    } catch (problem) {
      if (problem instanceof TemplateProblem && problem.line === 1) problem.line = line;
      throw problem;
    }
  }

  #action(word: string, rest: string, text: string, depth: number): Part | undefined {
    switch (word) {
      case "if":
      case "with":
      case "range":
        return this.#control(word, rest, depth);
      case "end":
      case "else":
        throw new TemplateProblem(`unexpected {{${word}}}`);
      case "break":
      case "continue":
        return { kind: word };
      case "define":
        this.named.set(stringWord(rest), this.parts(["end"], depth + 1).items);
        return undefined;
      case "block": {
        const [, name = "", pipeline = "."] = /^("(?:[^"\\]|\\.)*"|`[^`]*`)\s*([\s\S]*)$/.exec(rest) ?? [];
        this.named.set(stringWord(name), this.parts(["end"], depth + 1).items);
        return { kind: "template", name: stringWord(name), pipeline: parsePipeline(pipeline) };
      }
      case "template": {
        const [, name = "", pipeline = ""] = /^("(?:[^"\\]|\\.)*"|`[^`]*`)\s*([\s\S]*)$/.exec(rest) ?? [];
        return { kind: "template", name: stringWord(name), pipeline: pipeline === "" ? undefined : parsePipeline(pipeline) };
      }
      default:
        return { kind: "action", pipeline: parsePipeline(text) };
    }
  }

  #control(kind: "if" | "with" | "range", condition: string, depth: number): Part {
    const pipeline = parsePipeline(condition);
    const body = this.parts(["end", "else"], depth + 1);
    const next = /^else\s+(if|with)\s+([\s\S]*)$/.exec(body.end ?? "");
    const inner = next?.[1];
    if (next !== null && (inner === "if" || inner === "with")) {
      return { kind, pipeline, body: body.items, otherwise: [this.#control(inner, next[2] ?? "", depth + 1)] };
    }
    const otherwise = body.end === "else" ? this.parts(["end"], depth + 1).items : [];
    return { kind, pipeline, body: body.items, otherwise };
  }
}

const token =
  /\s*(?:("(?:[^"\\\n]|\\.)*")|`([^`]*)`|'((?:[^'\\\n]|\\.)+)'|(\$\w*)|((?:\.\w+)+)|(\.)|([-+]?(?:\d[\w.]*|\.\d+)(?:[eE][-+]?\d+)?)|(\w+)|(:=|[|(),=]))/uy;

interface Token {
  readonly kind: "string" | "variable" | "field" | "dot" | "number" | "char" | "word" | "mark";
  readonly text: string;
  /** Whether it follows the token before it without a space. */
  readonly joined: boolean;
}

function tokens(text: string): readonly Token[] {
  const found: Token[] = [];
  for (let at = 0; text.slice(at).trim() !== ""; ) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) throw new TemplateProblem(`unexpected ${quote(text.slice(at).trim().charAt(0))} in operand`);
    const [whole, string, raw, char, variable, field, dot, number, word, mark] = match;
    const joined = at > 0 && !/^\s/.test(whole);
    at += whole.length;
    if (string !== undefined) found.push({ kind: "string", text: unquote(string), joined });
    else if (raw !== undefined) found.push({ kind: "string", text: raw, joined });
    else if (char !== undefined) found.push({ kind: "char", text: unquote(`"${char}"`), joined });
    else if (variable !== undefined) found.push({ kind: "variable", text: variable, joined });
    else if (field !== undefined) found.push({ kind: "field", text: field, joined });
    else if (dot !== undefined) found.push({ kind: "dot", text: dot, joined });
    else if (number !== undefined) found.push({ kind: "number", text: number, joined });
    else if (word !== undefined) found.push({ kind: "word", text: word, joined });
    else found.push({ kind: "mark", text: mark ?? "", joined });
  }
  return found;
}

const simple: { readonly [char: string]: string } = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

function unquote(text: string): string {
  return text.slice(1, -1).replace(/\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|([\s\S]))/gi, (_, x, u, long, char) => {
    const code = x ?? u ?? long;
    return code === undefined ? (simple[String(char)] ?? String(char)) : String.fromCodePoint(Number.parseInt(String(code), 16));
  });
}

function stringWord(text: string): string {
  const [only] = tokens(text);
  if (only?.kind !== "string") throw new TemplateProblem(`unexpected ${quote(text)} in template clause`);
  return only.text;
}

function parsePipeline(text: string): Pipeline {
  const reader = new PipelineReader(tokens(text));
  const pipeline = reader.pipeline(0);
  reader.end();
  return pipeline;
}

class PipelineReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(all: readonly Token[]) {
    this.#tokens = all;
  }

  end(): void {
    const rest = this.#tokens[this.#at];
    if (rest !== undefined) throw new TemplateProblem(`unexpected ${quote(rest.text)} in operand`);
  }

  pipeline(depth: number): Pipeline {
    if (depth > deepest) throw new TemplateProblem("the template nests too deep");
    const { variables, declares } = this.#declaration();
    const commands: Command[] = [];
    do commands.push(this.#command(depth));
    while (this.#skip("|"));
    return { variables, declares, commands };
  }

  /** `$x :=`, `$i, $x =`; nothing is taken where there is none. */
  #declaration(): { readonly variables: readonly string[]; readonly declares: boolean } {
    const start = this.#at;
    const variables: string[] = [];
    do {
      const next = this.#tokens[this.#at];
      if (next?.kind !== "variable") break;
      this.#at++;
      variables.push(next.text);
    } while (this.#skip(","));
    if (variables.length > 0 && this.#skip(":=")) return { variables, declares: true };
    if (variables.length > 0 && this.#skip("=")) return { variables, declares: false };
    this.#at = start;
    return { variables: [], declares: true };
  }

  #skip(mark: string): boolean {
    const next = this.#tokens[this.#at];
    if (next?.kind !== "mark" || next.text !== mark) return false;
    this.#at++;
    return true;
  }

  #command(depth: number): Command {
    const words: Word[] = [];
    for (let next = this.#tokens[this.#at]; next !== undefined; next = this.#tokens[this.#at]) {
      if (next.kind === "mark" && next.text !== "(") break;
      this.#at++;
      words.push(this.#word(next, depth));
    }
    if (words.length === 0) throw new TemplateProblem("missing value for command");
    return words;
  }

  /** Fields right behind a word belong to it. */
  #path(): readonly string[] {
    const next = this.#tokens[this.#at];
    if (next?.kind !== "field" || !next.joined) return [];
    this.#at++;
    return next.text.slice(1).split(".");
  }

  #word(next: Token, depth: number): Word {
    const { kind, text } = next;
    switch (kind) {
      case "dot":
        return { kind };
      case "field":
        return { kind, path: text.slice(1).split(".") };
      case "variable":
        return { kind, name: text, path: this.#path() };
      case "string":
        return { kind: "constant", value: { type: "string", value: text } };
      case "char":
        return { kind: "constant", value: { type: "int", value: BigInt(text.codePointAt(0) ?? 0) } };
      case "number":
        return { kind: "constant", value: numberConstant(text) };
      case "word":
        return wordOf(text);
      case "mark": {
        const pipeline = this.pipeline(depth + 1);
        if (!this.#skip(")")) throw new TemplateProblem("unclosed left paren");
        return { kind: "group", pipeline, path: this.#path() };
      }
    }
  }
}

function wordOf(text: string): Word {
  if (text === "true" || text === "false") return { kind: "constant", value: { type: "bool", value: text === "true" } };
  if (text === "nil") return { kind: "constant", value: { type: "nil" } };
  if (!functionNames.has(text)) throw new TemplateProblem(`function ${quote(text)} not defined`);
  return { kind: "function", name: text };
}

function numberConstant(text: string): Constant {
  const digits = text.replaceAll("_", "");
  if (/^[-+]?(?:\d+|0[xX][\da-fA-F]+|0[bB][01]+|0[oO][0-7]+)$/.test(digits)) {
    const size = BigInt(digits.replace(/^[-+]/, ""));
    return { type: "int", value: digits.startsWith("-") ? -size : size };
  }
  const value = Number(digits);
  if (Number.isNaN(value)) throw new TemplateProblem(`bad number syntax: ${quote(text)}`);
  return Number.isInteger(value) ? { type: "int", value: BigInt(value) } : { type: "float", value };
}
