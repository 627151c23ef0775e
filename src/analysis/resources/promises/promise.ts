/** What a label makes people believe about a namespace. */
export interface LabelPromise {
  readonly kind: "isolation" | "pod-security" | "classification" | "stage";
  readonly key: string;
  readonly value: string;
}

interface PromiseForm {
  readonly kind: LabelPromise["kind"];
  readonly key: RegExp;
  readonly value: RegExp;
}

/** Matched against the last part of a label key, without its domain. */
const forms: readonly PromiseForm[] = [
  {
    kind: "isolation",
    key: /^(?:(?:network|tenant|namespace|workload|security)-?)?isolat(?:ion|ed)(?:-?(?:level|mode|policy|tier))?$/i,
    value: /^(?:strict|high|hard|full|strong|dedicated|complete|isolated|restricted|true|enabled|enforced|yes)$/i,
  },
  {
    kind: "pod-security",
    key: /^(?:pod-?)?security-?(?:level|profile|tier|standard|policy)?$/i,
    value: /^(?:restricted|baseline|strict|hardened|high)$/i,
  },
  {
    kind: "classification",
    key: /^(?:data-?)?(?:classification|sensitivity|confidentiality)(?:-?level)?$/i,
    value: /^(?:confidential|restricted|secret|top-?secret|sensitive|highly-?.*|high|pii|phi|pci|regulated|private)$/i,
  },
  {
    kind: "classification",
    key: /^(?:compliance|regulation)(?:-?(?:scope|level|framework))?$/i,
    value: /^(?:pci(?:-?dss)?|hipaa|gdpr|sox|soc-?2|iso-?27001|fedramp.*)$/i,
  },
  { kind: "stage", key: /^(?:env|environment|stage|tier|lifecycle)$/i, value: /^(?:prod|production|live)$/i },
];

export function readPromise(key: string, value: string): LabelPromise | undefined {
  const name = key.slice(key.lastIndexOf("/") + 1);
  const form = forms.find((candidate) => candidate.key.test(name) && candidate.value.test(value));
  return form === undefined ? undefined : { kind: form.kind, key, value };
}
