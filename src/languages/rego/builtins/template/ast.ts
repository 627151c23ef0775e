/** An expression of Go's text/template: a command's words. */
export type Word =
  | { readonly kind: "dot" }
  | { readonly kind: "field"; readonly path: readonly string[] }
  | { readonly kind: "variable"; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: "constant"; readonly value: Constant }
  | { readonly kind: "function"; readonly name: string }
  | { readonly kind: "group"; readonly pipeline: Pipeline; readonly path: readonly string[] };

export type Constant =
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "int"; readonly value: bigint }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "nil" };

export type Command = readonly Word[];

/** Commands that hand their values on, and the variables that the last value is bound to. */
export interface Pipeline {
  readonly variables: readonly string[];
  /** `:=` makes new variables, `=` changes those that are there. */
  readonly declares: boolean;
  readonly commands: readonly Command[];
}

export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly pipeline: Pipeline }
  | {
      readonly kind: "if" | "with" | "range";
      readonly pipeline: Pipeline;
      readonly body: readonly Part[];
      readonly otherwise: readonly Part[];
    }
  | { readonly kind: "template"; readonly name: string; readonly pipeline: Pipeline | undefined }
  | { readonly kind: "break" | "continue" };

export interface Template {
  readonly parts: readonly Part[];
  readonly named: ReadonlyMap<string, readonly Part[]>;
}

/** What is wrong with a template. Thrown. */
export class TemplateProblem {
  readonly message: string;
  /** Counted from 1, as far as it is known. */
  line = 1;

  constructor(message: string) {
    this.message = message;
  }
}
