import { quote } from "../../values/print.ts";
import { RegoObject, type Value } from "../../values/value.ts";
import { describeToken, Lexer, type Token, type TokenKind } from "./lexer.ts";
import { GraphqlProblem, type Node, node, type Place, valueKind } from "./node.ts";

/** Deeper documents are refused: readers recurse. */
const deepest = 500;

/** What query and schema documents have in common. Methods throw {@link GraphqlProblem}. */
export class Parser {
  readonly #lexer: Lexer;
  #peeked: Token | undefined;
  #depth = 0;
  /** The comments before the token that comes next. */
  comment: Value | undefined;

  constructor(input: string) {
    this.#lexer = new Lexer(input);
  }

  peek(): Token {
    if (this.#peeked !== undefined) return this.#peeked;
    const comments: Value[] = [];
    let token = this.#lexer.next();
    for (; token.kind === "Comment"; token = this.#lexer.next()) comments.push(RegoObject.of([["Value", token.value]]));
    if (comments.length > 0) this.comment = RegoObject.of([["List", comments]]);
    this.#peeked = token;
    return token;
  }

  next(): Token {
    const token = this.peek();
    this.#peeked = undefined;
    this.comment = undefined;
    if (token.problem !== undefined) throw token.problem;
    return token;
  }

  get place(): Place {
    return this.peek().place;
  }

  isNext(kind: TokenKind): boolean {
    return this.peek().kind === kind;
  }

  skip(kind: TokenKind): boolean {
    if (!this.isNext(kind)) return false;
    this.next();
    return true;
  }

  expect(kind: TokenKind): Token {
    const token = this.peek();
    if (token.kind !== kind) throw new GraphqlProblem(`Expected ${kind}, found ${token.kind}`, token.place);
    return this.next();
  }

  expectKeyword(word: string): void {
    const token = this.peek();
    if (token.kind === "Name" && token.value === word) this.next();
    else throw new GraphqlProblem(`Expected ${quote(word)}, found ${describeToken(token)}`, token.place);
  }

  unexpected(token = this.peek()): never {
    throw new GraphqlProblem(`Unexpected ${describeToken(token)}`, token.place);
  }

  name(): string {
    return this.expect("Name").value;
  }

  /** Any number of items between brackets. */
  many<T>(open: TokenKind, close: TokenKind, item: () => T, atLeastOne = false): T[] {
    const items: T[] = [];
    if (!this.skip(open)) return items;
    if (++this.#depth > deepest) throw new GraphqlProblem("the document nests too deep", this.place);
    while (!this.isNext(close)) items.push(item());
    if (atLeastOne && items.length === 0) {
      throw new GraphqlProblem(`expected at least one definition, found ${close}`, this.place);
    }
    this.next();
    this.#depth--;
    return items;
  }

  /** At least one item between brackets, or no brackets at all. */
  some<T>(open: TokenKind, close: TokenKind, item: () => T): T[] {
    return this.many(open, close, item, true);
  }

  directives(isConstant: boolean): readonly Node[] {
    const found: Node[] = [];
    while (this.skip("@")) {
      const { place } = this;
      found.push(node({ Name: this.name(), Arguments: this.arguments(isConstant), Location: "" }, place));
    }
    return found;
  }

  arguments(isConstant: boolean): readonly Node[] {
    return this.some("(", ")", () => {
      const { place } = this;
      const comment = this.comment;
      const name = this.name();
      this.expect(":");
      return node({ Name: name, Value: this.value(isConstant), Comment: comment }, place);
    });
  }

  typeReference(): Node {
    if (this.skip("[")) {
      const { place } = this;
      const element = this.typeReference();
      this.expect("]");
      return node({ NamedType: "", Elem: element, NonNull: this.skip("!") }, place);
    }
    const { place } = this;
    const name = this.name();
    return node({ NamedType: name, NonNull: this.skip("!") }, place);
  }

  variable(): string {
    this.expect("$");
    return this.name();
  }

  value(isConstant: boolean): Node {
    const token = this.peek();
    const { place, value } = token;
    const scalar = (kind: number): Node => {
      this.next();
      return valueNode(kind, value, place, this.comment);
    };
    switch (token.kind) {
      case "[": {
        const { comment } = this;
        const items = this.many("[", "]", () => node({ Name: "", Value: this.value(isConstant) }, this.place));
        return valueNode(valueKind.list, "", place, comment, items);
      }
      case "{": {
        const { comment } = this;
        return valueNode(
          valueKind.object,
          "",
          place,
          comment,
          this.many("{", "}", () => this.#objectField(isConstant)),
        );
      }
      case "$": {
        if (isConstant) return this.unexpected();
        const { comment } = this;
        return valueNode(valueKind.variable, this.variable(), place, comment);
      }
      case "Int":
        return scalar(valueKind.int);
      case "Float":
        return scalar(valueKind.float);
      case "String":
        return scalar(valueKind.string);
      case "BlockString":
        return scalar(valueKind.block);
      case "Name":
        return scalar(
          value === "true" || value === "false" ? valueKind.boolean : value === "null" ? valueKind.null : valueKind.enum,
        );
      default:
        return this.unexpected();
    }
  }

  #objectField(isConstant: boolean): Node {
    const { place } = this;
    const comment = this.comment;
    const name = this.name();
    this.expect(":");
    return node({ Name: name, Value: this.value(isConstant), Comment: comment }, place);
  }
}

function valueNode(kind: number, raw: string, place: Place, comment: Value | undefined, children: readonly Node[] = []): Node {
  return node({ Raw: raw, Kind: kind, Children: children, Comment: comment, ExpectedTypeHasDefault: false }, place);
}
