/**
 * An expression that cannot be evaluated on this data: a function given a wrong argument, an unparsable time, ...
 * A member that is missing is not an error; it is `NotFound`.
 */
export class JmesPathError extends Error {
  override readonly name = "JmesPathError";
}

/** The answer where the path named a member that its object does not have (null members are null). */
export class NotFound {
  readonly key: string;

  constructor(key: string) {
    this.key = key;
  }

  get message(): string {
    return `Unknown key "${this.key}" in path`;
  }
}
