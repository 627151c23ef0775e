import { parseGoTime } from "../../../../core/go-time.ts";
import { parseRequestUri } from "../../../../core/go-url.ts";
import {
  asPrefix,
  dns1035LabelProblems,
  dnsLabelProblems,
  dnsSubdomainProblems,
  labelValueProblems,
  type NameCheck,
  qualifiedNameProblems,
} from "../../../../core/name-problems.ts";
import { type Library, memberOverload, overload } from "../../declarations.ts";
import { type CelType, type CelTypeOf, listOf, optionalOf, stringType, structType } from "../../types.ts";
import { type CelError, CelObject, type CelValue, noSuchOverload, Optional } from "../../values/value.ts";

const formatType: CelTypeOf<NamedFormat> = structType("kubernetes.NamedFormat");

export class NamedFormat extends CelObject {
  readonly name: string;
  readonly problems: NameCheck;
  /** Length of a regular expression that would do the same, for costs. */
  readonly regexLength: number;

  constructor(name: string, problems: NameCheck, regexLength: number) {
    super();
    this.name = name;
    this.problems = problems;
    this.regexLength = regexLength;
  }

  get type(): CelType {
    return formatType;
  }

  equals(other: CelValue): boolean | CelError {
    return other instanceof NamedFormat ? this.name === other.name : noSuchOverload();
  }
}

const uuidPattern = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const base64Pattern = /^(?:[A-Za-z0-9+\\/]{4})*(?:[A-Za-z0-9+\\/]{2}==|[A-Za-z0-9+\\/]{3}=|[A-Za-z0-9+\\/]{4})$/;
const timePattern = /^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$/;

function isDate(text: string): boolean {
  return parseGoTime("2006-01-02", text) !== undefined;
}

/** As go-openapi/strfmt reads it: no leap seconds, and what follows a second `T` does not count. */
function isDateTime(text: string): boolean {
  const [date = "", time] = text.toLowerCase().split("t");
  const [, hour = "", minute = "", second = ""] = timePattern.exec(time ?? "") ?? [];
  return isDate(date) && hour !== "" && hour <= "23" && minute <= "59" && second <= "59";
}

function must(holds: (text: string) => boolean, problem: string): NameCheck {
  return (text) => (holds(text) ? [] : [problem]);
}

const uriProblems: NameCheck = (text) => {
  const parsed = parseRequestUri(text);
  return parsed.ok ? [] : [parsed.message];
};

const dateTimeLength = timePattern.source.length;

const formats = new Map<string, NamedFormat>([
  ["dns1123Label", new NamedFormat("DNS1123Label", dnsLabelProblems, 30)],
  ["dns1123Subdomain", new NamedFormat("DNS1123Subdomain", dnsSubdomainProblems, 60)],
  ["dns1035Label", new NamedFormat("DNS1035Label", dns1035LabelProblems, 30)],
  ["qualifiedName", new NamedFormat("QualifiedName", qualifiedNameProblems, 60)],
  ["dns1123LabelPrefix", new NamedFormat("DNS1123LabelPrefix", asPrefix(dnsLabelProblems), 30)],
  ["dns1123SubdomainPrefix", new NamedFormat("DNS1123SubdomainPrefix", asPrefix(dnsSubdomainProblems), 60)],
  ["dns1035LabelPrefix", new NamedFormat("DNS1035LabelPrefix", asPrefix(dns1035LabelProblems), 30)],
  ["labelValue", new NamedFormat("LabelValue", labelValueProblems, 40)],
  ["uri", new NamedFormat("URI", uriProblems, 1103)],
  [
    "uuid",
    new NamedFormat(
      "uuid",
      must((text) => uuidPattern.test(text), "does not match the UUID format"),
      70,
    ),
  ],
  [
    "byte",
    new NamedFormat(
      "byte",
      must((text) => base64Pattern.test(text), "invalid base64"),
      84,
    ),
  ],
  ["date", new NamedFormat("date", must(isDate, "invalid date"), dateTimeLength)],
  ["datetime", new NamedFormat("datetime", must(isDateTime, "invalid datetime"), dateTimeLength)],
]);

function validate(format: NamedFormat, text: string): Optional {
  const problems = format.problems(text);
  return problems.length === 0 ? Optional.none : new Optional(problems);
}

/** `format.dns1123Label().validate("a.b")`: what is wrong with a name. */
export const formatLibrary: Library = {
  name: "kubernetes.format",
  functions: [
    ...Array.from(formats, ([name, format]) => ({
      name: `format.${name}`,
      overloads: [overload(`format.${name}`, [], formatType, () => format)],
    })),
    {
      name: "format.named",
      overloads: [
        overload("format-named", [stringType], optionalOf(formatType), (name) => {
          const format = formats.get(name);
          return format === undefined ? Optional.none : new Optional(format);
        }),
      ],
    },
    {
      name: "validate",
      overloads: [memberOverload("format-validate", [formatType, stringType], optionalOf(listOf(stringType)), validate)],
    },
  ],
};
