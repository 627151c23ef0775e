/** The API server's answer to one request. */
export interface AdmissionAnswer {
  readonly allowed: boolean;
  /** Why not, as the API server says it after `pods "x" is forbidden: ` or `Namespace "x" is invalid: `. */
  readonly message: string | undefined;
  readonly warnings: readonly string[];
  /** Without the plugin's prefix `pod-security.kubernetes.io/`. */
  readonly auditAnnotations: { readonly [key: string]: string };
}

export const allowed: AdmissionAnswer = { allowed: true, message: undefined, warnings: [], auditAnnotations: {} };
