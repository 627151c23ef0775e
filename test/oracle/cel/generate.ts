/** A random source that can be started again from its seed. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }
}

export interface Variable {
  readonly type: string;
  readonly value: unknown;
}

export interface GeneratedCase {
  readonly expr: string;
  readonly vars: { readonly [name: string]: Variable };
}

const strings = [
  "",
  "a",
  "abc",
  "Hello, World",
  "é漢😀",
  "1",
  "-5",
  "1.5",
  "true",
  "10Mi",
  "a/b~c",
  "x y\tz",
  "2024-05-06T07:08:09Z",
  "1h30m",
  "192.168.1.1",
  "10.0.0.0/8",
  "::1",
  "https://u@h.example:80/p%20q?a=1&b=2#f",
  "1.2.3-rc.1",
  "v1.2",
  "a-b.c",
  "aaaaaaaaaaaaaaaaaaaa",
];
const patterns = ["a", "^a+$", "[a-z]*", "(a)(b)?", "x|y", "\\\\d+", ".", "(", "a{2,3}", "\\\\bHello\\\\b", "[[:alpha:]]+"];
const zones = ["UTC", "+01:30", "America/New_York", "Nowhere/Land", "-08:00"];

const leaves: { readonly [type: string]: readonly string[] } = {
  int: ["0", "1", "-1", "2", "7", "100", "9223372036854775807", "-9223372036854775808", "0x10", "i", "j"],
  uint: ["0u", "1u", "18446744073709551615u", "7u", "u"],
  double: ["0.0", "1.0", "-1.5", "1e10", "2.5", "1e-7", "123456789.125", "d", "(1.0 / 0.0)", "(0.0 / 0.0)"],
  bool: ["true", "false", "b", "c"],
  bytes: ["b''", "b'abc'", "b'\\xff'", "y"],
  timestamp: ["ts", "timestamp('2024-02-29T12:34:56.789Z')", "timestamp(0)", "timestamp('0001-01-01T00:00:00Z')"],
  duration: ["du", "duration('1h')", "duration('-3.5s')", "duration('0s')"],
  null: ["null"],
  "list(int)": ["[]", "li", "[1, 2, 3]", "[3, 1, 2, 1]"],
  "list(string)": ["[]", "ls", "['a', 'b']"],
  "list(dyn)": ["[]", "ld", "[dyn(1), dyn('a')]", "o.items"],
  "list(double)": ["[1.5, 2.0]", "[]"],
  "map(string,int)": ["{}", "m", "{'a': 1, 'b': 2}"],
  "map(string,dyn)": ["md", "{'a': dyn(1), 'b': dyn('x')}", "o.labels"],
  dyn: [
    "o",
    "o.a",
    "o.b.c",
    "o.items",
    "o.missing",
    "o.n",
    "dyn(1)",
    "dyn('a')",
    "dyn(1.5)",
    "dyn([])",
    "o.labels",
    "o.f",
    "o.nul",
  ],
  quantity: ["quantity('10Mi')", "quantity('1.5')", "quantity('100m')", "quantity('1e3')", "quantity('-2')"],
  semver: ["semver('1.2.3')", "semver('1.2.4-a.1')", "semver('v1.02', true)"],
  url: ["url('https://h.example:443/a/b?x=1&x=2')", "url('/rel')"],
  ip: ["ip('127.0.0.1')", "ip('::1')", "ip('fe80::1')", "ip('8.8.8.8')"],
  cidr: ["cidr('10.0.0.0/8')", "cidr('2001:db8::/32')", "cidr('192.168.1.7/24')"],
  format: [
    "format.dns1123Label()",
    "format.qualifiedName()",
    "format.uri()",
    "format.labelValue()",
    "format.dns1035LabelPrefix()",
  ],
  optint: ["optional.of(1)", "optional.none()", "m[?'a']", "li[?0]"],
  optdyn: ["o.?a", "o.?missing", "o[?'b']", "md[?'a']", "ld[?1]", "o.?b.c", "optional.ofNonZeroValue(o.a)"],
  resourcecheck: [
    "authorizer.group('apps').resource('deployments')",
    "authorizer.group('').resource('pods').namespace('x').name('y')",
  ],
  decision: ["authorizer.path('/healthz').check('get')", "authorizer.group('').resource('pods').check('error')"],
};

/** What makes a value of a type; `{type}` stands for an expression of that type. */
const templates: { readonly [type: string]: readonly string[] } = {
  int: [
    "{int} + {int}",
    "{int} - {int}",
    "{int} * {int}",
    "{int} / {int}",
    "{int} % {int}",
    "-{int}",
    "size({string})",
    "{string}.size()",
    "size({list(int)})",
    "size({bytes})",
    "size({map(string,int)})",
    "size({dyn})",
    "int({double})",
    "int({uint})",
    "int({string})",
    "int({timestamp})",
    "{string}.indexOf({string})",
    "{string}.lastIndexOf({string})",
    "{string}.indexOf({string}, {int})",
    "{string}.lastIndexOf({string}, {int})",
    "{list(int)}.sum()",
    "{list(int)}.max()",
    "{list(int)}.min()",
    "{list(int)}.indexOf({int})",
    "{list(string)}.lastIndexOf({string})",
    "{list(int)}[{int}]",
    "{map(string,int)}[{string}]",
    "{map(string,int)}.a",
    "{bool} ? {int} : {int}",
    "{timestamp}.getFullYear()",
    "{timestamp}.getHours({zone})",
    "{timestamp}.getDayOfYear()",
    "{timestamp}.getDayOfWeek()",
    "{timestamp}.getMilliseconds()",
    "{duration}.getSeconds()",
    "{duration}.getMinutes()",
    "{duration}.getHours()",
    "{duration}.getMilliseconds()",
    "{quantity}.asInteger()",
    "{quantity}.compareTo({quantity})",
    "sign({quantity})",
    "{semver}.major()",
    "{semver}.compareTo({semver})",
    "{ip}.family()",
    "{cidr}.prefixLength()",
    "{optint}.orValue({int})",
    "{optint}.value()",
    "cel.bind(x1, {int}, x1 + x1)",
    "math.abs({int})",
    "math.bitAnd({int}, {int})",
    "math.bitShiftLeft({int}, {int})",
    "math.sign({int})",
  ],
  uint: [
    "{uint} + {uint}",
    "{uint} - {uint}",
    "{uint} * {uint}",
    "{uint} / {uint}",
    "{uint} % {uint}",
    "uint({int})",
    "uint({double})",
    "uint({string})",
    "math.bitNot({uint})",
  ],
  double: [
    "{double} + {double}",
    "{double} - {double}",
    "{double} * {double}",
    "{double} / {double}",
    "-{double}",
    "double({int})",
    "double({uint})",
    "double({string})",
    "{quantity}.asApproximateFloat()",
    "{list(double)}.sum()",
    "{list(double)}.max()",
    "math.ceil({double})",
    "math.round({double})",
    "math.trunc({double})",
    "math.floor({double})",
  ],
  string: [
    "{string} + {string}",
    "string({int})",
    "string({uint})",
    "string({double})",
    "string({bool})",
    "string({bytes})",
    "string({timestamp})",
    "string({duration})",
    "{string}.lowerAscii()",
    "{string}.upperAscii()",
    "{string}.trim()",
    "{string}.substring({small})",
    "{string}.substring({small}, {small})",
    "{string}.replace({string}, {string})",
    "{string}.replace({string}, {string}, {small})",
    "{string}.charAt({small})",
    "{list(string)}.join()",
    "{list(string)}.join({string})",
    "{string}.find({pattern})",
    "{list(string)}[{small}]",
    "{list(string)}.max()",
    "strings.quote({string})",
    "string({ip})",
    "string({cidr})",
    "{url}.getHost()",
    "{url}.getHostname()",
    "{url}.getPort()",
    "{url}.getEscapedPath()",
    "{url}.getScheme()",
    "{bool} ? {string} : {string}",
    "'%s %d %.2f'.format([{string}, {int}, {double}])",
    "'%s'.format([{dyn}])",
    "'%x %o %b %e'.format([{int}, {int}, {int}, {double}])",
    "'%s %s'.format([{list(int)}, {map(string,int)}])",
    "jsonpatch.escapeKey({string})",
    "{decision}.reason()",
    "{decision}.error()",
    "base64.encode({bytes})",
  ],
  bytes: ["bytes({string})", "{bytes} + {bytes}", "base64.decode({string})"],
  bool: [
    "{bool} && {bool}",
    "{bool} || {bool}",
    "!{bool}",
    "{bool} ? {bool} : {bool}",
    "{int} == {int}",
    "{int} != {int}",
    "{int} < {int}",
    "{double} >= {int}",
    "{string} < {string}",
    "{string} == {string}",
    "{dyn} == {dyn}",
    "{dyn} != {dyn}",
    "{bytes} < {bytes}",
    "{timestamp} < {timestamp}",
    "{duration} >= {duration}",
    "{uint} > {double}",
    "{list(int)} == {list(int)}",
    "{map(string,int)} == {map(string,int)}",
    "{list(dyn)} == {list(dyn)}",
    "{int} in {list(int)}",
    "{string} in {list(string)}",
    "{string} in {map(string,int)}",
    "{dyn} in {list(dyn)}",
    "{string} in ['a', 'b', 'c']",
    "{int} in [1, 2, 3]",
    "{string}.startsWith({string})",
    "{string}.endsWith({string})",
    "{string}.contains({string})",
    "{string}.matches({pattern})",
    "matches({string}, {pattern})",
    "{list(int)}.all(x, {boolx})",
    "{list(int)}.exists(x, {boolx})",
    "{list(int)}.exists_one(x, {boolx})",
    "{list(string)}.all(x, x.size() > {small})",
    "{map(string,int)}.all(k, {boolk})",
    "{map(string,int)}.exists(k, {boolk})",
    "{list(dyn)}.exists(x, x == {dyn})",
    "{list(dyn)}.all(x, {dynboolx})",
    "{dyn}.all(x, {dynboolx})",
    "{list(int)}.all(p, q, p < q)",
    "{map(string,int)}.exists(p, q, q > {int})",
    "{list(int)}.existsOne(p, q, q == p)",
    "has({dyn}.a)",
    "has(o.b.c)",
    "has(o.missing)",
    "has({map(string,int)}.b)",
    "{list(int)}.isSorted()",
    "{list(string)}.isSorted()",
    "{dyn} > {dyn}",
    "bool({string})",
    "type({dyn}) == int",
    "type({dyn}) == string",
    "type({list(int)}) == list",
    "isURL({string})",
    "isQuantity({string})",
    "isSemver({string})",
    "isIP({string})",
    "isCIDR({string})",
    "{quantity} == {quantity}",
    "{quantity}.isGreaterThan({quantity})",
    "{quantity}.isInteger()",
    "{quantity}.add({quantity}) == {quantity}",
    "{quantity}.isLessThan({quantity}.sub({int}))",
    "{semver} == {semver}",
    "{semver}.isLessThan({semver})",
    "{url} == {url}",
    "{ip} == {ip}",
    "{ip}.isLoopback()",
    "{ip}.isGlobalUnicast()",
    "{ip}.isLinkLocalUnicast()",
    "ip.isCanonical({string})",
    "{cidr}.containsIP({ip})",
    "{cidr}.containsIP({string})",
    "{cidr}.containsCIDR({cidr})",
    "{cidr}.containsCIDR({string})",
    "{cidr} == {cidr}.masked()",
    "{optint}.hasValue()",
    "{optdyn}.hasValue()",
    "{optint} == {optint}",
    "{format}.validate({string}).hasValue()",
    "{format} == {format}",
    "sets.contains({list(int)}, {list(int)})",
    "sets.intersects({list(string)}, {list(string)})",
    "sets.equivalent({list(int)}, {list(int)})",
    "{decision}.allowed()",
    "{decision}.errored()",
    "{resourcecheck}.check({verb}).allowed()",
    "{resourcecheck} == {resourcecheck}",
    "math.isNaN({double})",
    "{bool} == {bool}",
    "{double} == {double}",
    "{null} == {dyn}",
    "{type} == {type}",
  ],
  timestamp: [
    "{timestamp} + {duration}",
    "{timestamp} - {duration}",
    "timestamp({string})",
    "timestamp({int})",
    "{duration} + {timestamp}",
  ],
  duration: ["{duration} + {duration}", "{duration} - {duration}", "{timestamp} - {timestamp}", "duration({string})"],
  "list(int)": [
    "[{int}, {int}]",
    "{list(int)} + {list(int)}",
    "{list(int)}.map(x, {intx})",
    "{list(int)}.filter(x, {boolx})",
    "{list(int)}.map(x, {boolx}, {intx})",
    "{list(int)}.slice({small}, {small})",
    "{list(int)}.distinct()",
    "{list(int)}.sort()",
    "{list(int)}.sortBy(x, {intx})",
    "{list(int)}.reverse()",
    "lists.range({tiny})",
    "{map(string,int)}.map(k, {map(string,int)}[k])",
    "{list(int)}.transformList(p, q, p + q)",
    "[[{int}], {list(int)}].flatten()",
    "[?{optint}, {int}]",
    "{bool} ? {list(int)} : {list(int)}",
  ],
  "list(string)": [
    "[{string}, {string}]",
    "{list(string)} + {list(string)}",
    "{string}.split({string})",
    "{string}.split({string}, {small})",
    "{string}.findAll({pattern})",
    "{string}.findAll({pattern}, {small})",
    "{list(string)}.map(x, x + {string})",
    "{list(int)}.map(x, string(x))",
    "{map(string,int)}.map(k, k)",
    "{list(string)}.sort()",
    "{list(string)}.sortBy(x, size(x))",
    "{list(string)}.distinct()",
    "{url}.getQuery().map(k, k).sort()",
    "{format}.validate({string}).orValue(['ok'])",
  ],
  "list(dyn)": [
    "[dyn({int}), dyn({string})]",
    "[{dyn}, {dyn}]",
    "{list(dyn)} + {list(dyn)}",
    "{list(dyn)}.filter(x, {dynboolx})",
    "{list(dyn)}.map(x, {dyn})",
  ],
  "list(double)": ["[{double}, {double}]", "{list(int)}.map(x, double(x))"],
  "map(string,int)": [
    "{{string}: {int}}",
    "{{string}: {int}, {string}: {int}}",
    "{map(string,int)}.transformMap(k1, v1, v1 + {int})",
    "{?{string}: {optint}}",
    "{list(int)}.transformMapEntry(p, q, {string(q): p})",
    "{bool} ? {map(string,int)} : {map(string,int)}",
  ],
  "map(string,dyn)": ["{{string}: dyn({int}), {string}: dyn({string})}"],
  dyn: [
    "{dyn}.a",
    "{dyn}[{small}]",
    "{dyn}[{string}]",
    "dyn({int})",
    "dyn({string})",
    "dyn({list(int)})",
    "dyn({map(string,int)})",
    "{bool} ? {dyn} : {dyn}",
    "{dyn} + {dyn}",
    "{dyn} * {dyn}",
    "{optdyn}.orValue({dyn})",
    "{optdyn}.value()",
    "{map(string,dyn)}.a",
    "{list(dyn)}[{small}]",
    "dyn({double})",
    "dyn({uint})",
  ],
  quantity: ["quantity({string})", "{quantity}.add({quantity})", "{quantity}.sub({quantity})", "{quantity}.add({int})"],
  semver: ["semver({string})", "semver({string}, {bool})"],
  url: ["url({string})"],
  ip: ["ip({string})", "{cidr}.ip()"],
  cidr: ["cidr({string})", "{cidr}.masked()"],
  format: ["format.named({string}).value()"],
  optint: [
    "optional.of({int})",
    "optional.ofNonZeroValue({int})",
    "{list(int)}[?{small}]",
    "{map(string,int)}[?{string}]",
    "{map(string,int)}.?a",
    "{optint}.or({optint})",
    "{optint}.optMap(z, z + {int})",
    "{optint}.optFlatMap(z, {optint})",
    "{list(int)}.first()",
    "{list(int)}.last()",
  ],
  optdyn: [
    "{dyn}.?a",
    "{dyn}[?{string}]",
    "{optdyn}.or({optdyn})",
    "{optdyn}.a",
    "{optdyn}[{string}]",
    "optional.of({dyn})",
    "{optdyn}.optMap(z, [z])",
  ],
  resourcecheck: [
    "{resourcecheck}.subresource({string})",
    "{resourcecheck}.name({string})",
    "{resourcecheck}.fieldSelector({string})",
    "{resourcecheck}.labelSelector({string})",
    "authorizer.serviceAccount('ns', {string}).group('').resource({string})",
  ],
  decision: ["{resourcecheck}.check({verb})", "authorizer.path({string}).check({verb})"],
  boolx: ["x > {int}", "x % 2 == 0", "10 / x > 1", "x == {int} || {bool}", "{bool}", "x in {list(int)}"],
  intx: ["x", "x + 1", "x * {int}", "10 / x", "{int}"],
  boolk: ["k == {string}", "{map(string,int)}[k] > {int}", "k.size() > 1", "k in {list(string)}"],
  dynboolx: ["x == {dyn}", "x > {dyn}", "type(x) == int", "has(x.a)", "{bool}"],
  type: ["type({dyn})", "type({int})", "type({double})", "type({quantity})", "type({optint})"],
};

const anyType = Object.keys(templates);

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&").replace(/\t/g, "\\t")}'`;
}

class Generator {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  expression(type: string, depth: number): string {
    const random = this.#random;
    switch (type) {
      case "small":
        return depth > 0 && random.below(6) === 0 ? this.expression("int", depth - 1) : String(random.below(6) - 1);
      // Go makes ranges of any length.
      case "tiny":
        return String(random.below(7) - 1);
      case "pattern":
        return random.below(12) === 0 ? this.expression("string", depth) : `'${random.pick(patterns)}'`;
      case "zone":
        return quoted(random.pick(zones));
      case "verb":
        return quoted(random.pick(["get", "deny", "error", "list"]));
    }
    if (random.below(120) === 0) return this.expression(random.pick(anyType), depth);
    const template = templates[type] ?? [];
    if (depth <= 0 || template.length === 0) {
      if (type === "string") return random.below(3) === 0 ? random.pick(["s", "t"]) : quoted(random.pick(strings));
      const leaf = leaves[type];
      return leaf === undefined ? this.#fill(random.pick(template), 0) : random.pick(leaf);
    }
    return this.#fill(random.pick(template), depth - 1);
  }

  #fill(template: string, depth: number): string {
    const filled = template.replace(/\{([a-z]+(?:\([a-z,]+\))?)\}/g, (whole, type: string) => {
      if (
        templates[type] === undefined &&
        leaves[type] === undefined &&
        !["small", "tiny", "pattern", "zone", "verb"].includes(type)
      )
        return whole;
      const inner = this.expression(type, this.#random.below(depth + 1));
      return /^[\w.'[\]()"]+$/.test(inner) && !inner.startsWith("-") ? inner : `(${inner})`;
    });
    return filled;
  }
}

function randomJson(random: Random, depth: number): unknown {
  switch (random.below(depth > 0 ? 8 : 6)) {
    case 0:
      return random.below(10) - 3;
    case 1:
      return random.pick([1.5, -0.25, 1e21, 3.0000001]);
    case 2:
      return random.pick(strings);
    case 3:
      return random.below(2) === 0;
    case 4:
      return null;
    case 5:
      return random.below(1000);
    case 6:
      return Array.from({ length: random.below(4) }, () => randomJson(random, depth - 1));
    default:
      return Object.fromEntries(["a", "b", "c"].slice(random.below(3)).map((key) => [key, randomJson(random, depth - 1)]));
  }
}

function list<T>(random: Random, make: () => T): readonly T[] {
  return Array.from({ length: random.below(5) }, make);
}

const tokens = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  ",",
  ".",
  "?",
  ":",
  "'",
  '"',
  "1",
  "0x",
  "1.",
  "in",
  "true",
  "null",
  "has(",
  "&&",
  "||",
  "!",
  "-",
  "==",
  "<",
  "a",
  "\\",
  "\n",
  "//",
  "`",
  "r'",
  "b'",
  "u",
  "e5",
  "as",
  "?.",
  ".?",
  "[?",
  "{?",
  "/",
  "%",
  "@",
  "é",
  "'''",
];

/** The expression with something put in, left out or replaced. */
function damaged(expr: string, random: Random): string {
  const characters = Array.from(expr);
  const token = random.below(3) === 0 ? [] : [random.pick(tokens)];
  return characters.toSpliced(random.below(characters.length + 1), random.below(3), ...token).join("");
}

/** A random expression with values for its variables. */
export function generate(seed: number): GeneratedCase {
  const random = new Random(seed);
  const int = () => random.pick([0, 1, -1, 5, 42, random.below(1000)]);
  const vars = {
    i: { type: "int", value: int() },
    j: { type: "int", value: int() },
    u: { type: "uint", value: random.below(100) },
    d: { type: "double", value: random.pick([0, 1.5, -2, 1e100, 0.1]) },
    s: { type: "string", value: random.pick(strings) },
    t: { type: "string", value: random.pick(strings) },
    b: { type: "bool", value: random.below(2) === 0 },
    c: { type: "bool", value: random.below(2) === 0 },
    y: { type: "bytes", value: random.pick(["", "YWJj", "/w=="]) },
    ts: { type: "timestamp", value: random.pick(["2024-05-06T07:08:09.123456789Z", "1969-12-31T23:59:59Z"]) },
    du: { type: "duration", value: random.pick(["90s", "-1h0.5s", "0s"]) },
    li: { type: "list(int)", value: list(random, int) },
    ls: { type: "list(string)", value: list(random, () => random.pick(strings)) },
    ld: { type: "list(dyn)", value: list(random, () => randomJson(random, 1)) },
    m: { type: "map(string, int)", value: Object.fromEntries(list(random, () => [random.pick(["a", "b", "c", "é"]), int()])) },
    md: {
      type: "map(string, dyn)",
      value: Object.fromEntries(list(random, () => [random.pick(["a", "b", "c"]), randomJson(random, 1)])),
    },
    o: {
      type: "dyn",
      value: {
        a: randomJson(random, 2),
        b: { c: randomJson(random, 1) },
        items: list(random, () => randomJson(random, 1)),
        n: int(),
        f: 2.5,
        nul: null,
        labels: { a: "x", "b.c/d": "y" },
      },
    },
    authorizer: { type: "authorizer", value: null },
  };
  const type = random.pick([
    "bool",
    "bool",
    "int",
    "string",
    "dyn",
    "list(int)",
    "list(string)",
    "double",
    "uint",
    "map(string,int)",
    "optdyn",
    "list(dyn)",
    "timestamp",
    "duration",
    "bytes",
    "optint",
  ]);
  const expr = new Generator(random).expression(type, 1 + random.below(4));
  return { expr: random.below(15) === 0 ? damaged(expr, random) : expr, vars };
}
