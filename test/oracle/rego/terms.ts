import type { Random } from "./random.ts";

/** Random terms in Rego's syntax. */
export class Terms {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  integer(): string {
    const { random } = this;
    const kind = random.below(10);
    if (kind < 5) return String(random.below(21) - 5);
    if (kind < 7) return String(random.below(2_000_000) - 1_000_000);
    if (kind < 8) return random.pick(["2147483647", "-2147483648", "4294967296", "9007199254740991", "9007199254740993"]);
    if (kind < 9) return random.pick(["9223372036854775807", "-9223372036854775808", "18446744073709551615", "0"]);
    return `${random.chance(0.5) ? "-" : ""}${1 + random.below(9)}${Array.from({ length: 10 + random.below(25) }, () => random.below(10)).join("")}`;
  }

  number(): string {
    const { random } = this;
    const kind = random.below(8);
    if (kind < 4) return this.integer();
    if (kind < 6) return `${random.below(200) - 100}.${random.below(1000)}`;
    if (kind < 7)
      return random.pick([
        "0.1",
        "0.5",
        "1.0",
        "2.50",
        "1e3",
        "1.5e-7",
        "3.14159",
        "1e21",
        "123456.789",
        "1.25e10",
        "-0.0",
        "0.3",
      ]);
    return `${random.below(10)}.${Array.from({ length: 1 + random.below(22) }, () => random.below(10)).join("")}`;
  }

  text(): string {
    const { random } = this;
    const words = [
      "",
      "a",
      "b",
      "ab",
      "abc",
      "foo",
      "foo.bar",
      "a,b,c",
      "Hello World",
      "x-y",
      "/a/b/c",
      " pad ",
      "ÄÖü",
      "日本語",
      "😀z",
      "\t\n",
      'q"q',
      "a\\b",
      "<&>",
      "aaa",
      "banana",
      "1.2.3",
      "10",
      "10Mi",
      "ABC",
      "%s %d",
    ];
    if (random.chance(0.85)) return random.pick(words);
    return Array.from({ length: random.below(8) }, () => random.pick([..."abcxyz012 .,-_/"])).join("");
  }

  string(): string {
    return JSON.stringify(this.text());
  }

  scalar(): string {
    const { random } = this;
    const kind = random.below(10);
    if (kind < 4) return this.number();
    if (kind < 8) return this.string();
    return random.pick(["true", "false", "null"]);
  }

  array(item: () => string = () => this.term(1), longest = 4): string {
    return `[${this.random.list(longest, item).join(", ")}]`;
  }

  set(item: () => string = () => this.term(1), longest = 4): string {
    const items = this.random.list(longest, item);
    return items.length === 0 ? "set()" : `{${items.join(", ")}}`;
  }

  object(value: () => string = () => this.term(1), key: () => string = () => this.string(), longest = 4): string {
    const members = new Map(this.random.list(longest, () => [key(), value()] as const));
    return `{${[...members].map(([k, v]) => `${k}: ${v}`).join(", ")}}`;
  }

  term(depth = 2): string {
    const kind = depth <= 0 ? 0 : this.random.below(10);
    if (kind < 6) return this.scalar();
    const inner = () => this.term(depth - 1);
    if (kind < 8) return this.array(inner);
    if (kind < 9) return this.object(inner, () => (this.random.chance(0.8) ? this.string() : this.scalar()));
    return this.set(inner);
  }
}
