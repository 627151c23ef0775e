import type { Value } from "../../values/value.ts";
import { type Node, node } from "./node.ts";
import { Parser } from "./parser.ts";

/** Operations and fragments (executable documents). @throws GraphqlProblem */
export function parseQuery(input: string): Node {
  const parser = new QueryParser(input);
  return parser.document();
}

class QueryParser extends Parser {
  document(): Node {
    const operations: Node[] = [];
    const fragments: Node[] = [];
    const { place } = this;
    while (!this.isNext("<EOF>")) {
      const { kind, value } = this.peek();
      if (kind === "{" || (kind === "Name" && ["query", "mutation", "subscription"].includes(value))) {
        operations.push(this.#operation());
      } else if (kind === "Name" && value === "fragment") fragments.push(this.#fragmentDefinition());
      else this.unexpected();
    }
    return node({ Operations: operations, Fragments: fragments }, place);
  }

  #operation(): Node {
    const { place } = this;
    const comment = this.comment;
    if (this.isNext("{")) {
      return node({ Operation: "query", Name: "", SelectionSet: this.#requiredSelections(), Comment: comment }, place);
    }
    const operation = this.next().value;
    const name = this.isNext("Name") ? this.next().value : "";
    const variables = this.#variableDefinitions();
    const directives = this.directives(false);
    const selections = this.#requiredSelections();
    return node(
      {
        Operation: operation,
        Name: name,
        VariableDefinitions: variables,
        Directives: directives,
        SelectionSet: selections,
        Comment: comment,
      },
      place,
    );
  }

  #variableDefinitions(): readonly Node[] {
    return this.some("(", ")", () => {
      const { place } = this;
      const comment = this.comment;
      const variable = this.variable();
      this.expect(":");
      const type = this.typeReference();
      const defaultValue = this.skip("=") ? this.value(true) : undefined;
      const directives = this.directives(false);
      return node(
        {
          Variable: variable,
          Type: type,
          DefaultValue: defaultValue,
          Directives: directives,
          Comment: comment,
          Used: false,
        },
        place,
      );
    });
  }

  #requiredSelections(): readonly Node[] {
    if (!this.isNext("{")) this.expect("{");
    return this.#selections();
  }

  #selections(): readonly Node[] {
    return this.some("{", "}", () => (this.isNext("...") ? this.#fragment() : this.#field()));
  }

  #field(): Node {
    const { place } = this;
    const comment = this.comment;
    const alias = this.name();
    const name = this.skip(":") ? this.name() : alias;
    const args = this.arguments(false);
    const directives = this.directives(false);
    const selections = this.#selections();
    return node(
      { Alias: alias, Name: name, Arguments: args, Directives: directives, SelectionSet: selections, Comment: comment },
      place,
    );
  }

  #fragment(): Node {
    this.peek();
    const comment: Value | undefined = this.comment;
    this.expect("...");
    const { place } = this;
    const { kind, value } = this.peek();
    if (kind === "Name" && value !== "on") {
      return node({ Name: this.#fragmentName(), Directives: this.directives(false), Comment: comment }, place);
    }
    let condition = "";
    if (value === "on") {
      this.next();
      condition = this.name();
    }
    const directives = this.directives(false);
    const selections = this.#requiredSelections();
    return node({ TypeCondition: condition, Directives: directives, SelectionSet: selections, Comment: comment }, place);
  }

  #fragmentName(): string {
    return this.peek().value === "on" ? this.unexpected() : this.name();
  }

  #fragmentDefinition(): Node {
    const { place } = this;
    const comment = this.comment;
    this.expectKeyword("fragment");
    const name = this.#fragmentName();
    const variables = this.#variableDefinitions();
    this.expectKeyword("on");
    const condition = this.name();
    const directives = this.directives(false);
    const selections = this.#requiredSelections();
    return node(
      {
        Name: name,
        VariableDefinition: variables,
        TypeCondition: condition,
        Directives: directives,
        SelectionSet: selections,
        Comment: comment,
      },
      place,
    );
  }
}
