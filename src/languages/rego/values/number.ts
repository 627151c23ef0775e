/** A number that no JavaScript number stands for. `text` is the number as written, in JSON's syntax. */
export class RegoNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Equal numbers have equal keys: the JavaScript number that equals this one, if there is one, else a normalized text. */
  get key(): number | string {
    const near = Number(this.text);
    return Number.isSafeInteger(near) && /^-?\d+(\.0*)?$/.test(this.text) ? near : this.text;
  }
}

/** The number that a JSON or Rego number literal means. */
export function parseNumber(text: string): number | RegoNumber {
  const near = Number(text);
  return Number.isFinite(near) && String(near) === text ? near : new RegoNumber(text);
}

export function bigintNumber(integer: bigint): number | RegoNumber {
  const near = Number(integer);
  return Number.isSafeInteger(near) ? near : new RegoNumber(String(integer));
}
