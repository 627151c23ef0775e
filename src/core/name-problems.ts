/** What is wrong with names, in the words of k8s.io/apimachinery; empty for sound ones. Lengths are in bytes. */
export type NameCheck = (name: string) => readonly string[];

const labelFormat = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomainFormat = `${labelFormat}(\\.${labelFormat})*`;
const label1035Format = "[a-z]([-a-z0-9]*[a-z0-9])?";
const keyFormat = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const valueFormat = `(${keyFormat})?`;
const keyRule = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

function matches(format: string): (name: string) => boolean {
  const pattern = new RegExp(`^${format}$`);
  return (name) => pattern.test(name);
}

function described(rule: string, format: string, ...examples: readonly string[]): string {
  const quoted = examples.map((example) => `'${example}', `).join(" or ");
  return `${rule} (e.g. ${quoted}regex used for validation is '${format}')`;
}

type Unit = "bytes" | "characters";

/** The checks of label keys and values say `bytes`, the older ones `characters`; all count bytes. */
function tooLong(name: string, limit: number, unit: Unit = "characters"): readonly string[] {
  const bytes = name.replace(/[^\0-\x7f]/gu, (char) =>
    "x".repeat((char.codePointAt(0) ?? 0) < 0x800 ? 2 : char.length + 2),
  ).length;
  return bytes > limit ? [`must be no more than ${limit} ${unit}`] : [];
}

const isLabel = matches(labelFormat);
const isSubdomain = matches(subdomainFormat);
const isLabel1035 = matches(label1035Format);
const isKey = matches(keyFormat);
const isValue = matches(valueFormat);

export const dnsLabelProblems: NameCheck = (name) => {
  if (isLabel(name)) return tooLong(name, 63);
  const rule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  const problem = isSubdomain(name) ? "must not contain dots" : described(rule, labelFormat, "my-name", "123-abc");
  return [...tooLong(name, 63), problem];
};

export const dnsSubdomainProblems: NameCheck = (name) => subdomainProblems(name, "characters");

function subdomainProblems(name: string, unit: Unit): readonly string[] {
  if (isSubdomain(name)) return tooLong(name, 253, unit);
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...tooLong(name, 253, unit), described(rule, subdomainFormat, "example.com")];
}

export const dns1035LabelProblems: NameCheck = (name) => {
  if (isLabel1035(name)) return tooLong(name, 63);
  const rule =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...tooLong(name, 63), described(rule, label1035Format, "my-name", "abc-123")];
};

export const labelValueProblems: NameCheck = (value) => {
  if (isValue(value)) return tooLong(value, 63, "bytes");
  const rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [...tooLong(value, 63, "bytes"), described(rule, valueFormat, "MyValue", "my_value", "12345")];
};

/** Keys of labels and annotations: a name, with a DNS subdomain before it or without. */
export const qualifiedNameProblems: NameCheck = (key) => {
  const parts = key.split("/");
  const rule = described(keyRule, keyFormat, "MyName", "my.name", "123-abc");
  if (parts.length > 2)
    return [`a valid label key ${rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const name = parts.at(-1) ?? "";
  const prefix = parts.length === 2 ? parts[0] : undefined;
  const problems: string[] = [];
  if (prefix === "") problems.push("prefix part must be non-empty");
  else if (prefix !== undefined) problems.push(...subdomainProblems(prefix, "bytes").map((problem) => `prefix part ${problem}`));
  if (name === "") problems.push("name part must be non-empty");
  else problems.push(...tooLong(name, 63, "bytes").map((problem) => `name part ${problem}`));
  if (!isKey(name)) problems.push(`name part ${rule}`);
  return problems;
};

/** For names that something is added to: a dash at the end is no mistake. */
export function asPrefix(check: NameCheck): NameCheck {
  return (name) => check(name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name);
}
