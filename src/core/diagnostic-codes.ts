/**
 * Every stable diagnostic code: what it means and what to do about it.
 * `docs/reference/errors.md` is generated from this table.
 */
export const diagnosticCodes = {
  FILE_UNREADABLE: { meaning: "A file or directory could not be read.", next: "Check that it exists and that you may read it." },
  FILE_NOT_FOUND: {
    meaning: "A path names no file, or a pattern matches none.",
    next: "Check the spelling and the working directory.",
  },
  FILE_TOO_LARGE: { meaning: "A file is larger than manifests are; it was not read.", next: "Split it, or leave it out." },
  FILE_NOT_TEXT: {
    meaning: "A file is binary or not encoded in UTF-8; it was not read.",
    next: "Save it as UTF-8, or leave it out.",
  },
  FILE_TEMPLATE: {
    meaning: "A file is a template, as Helm's, and no YAML before it is rendered; it was not read.",
    next: "Name the chart's directory with helm on PATH, or render it and scan the output.",
  },
  DIRECTORY_EMPTY: { meaning: "A directory holds no manifests.", next: "Check that it is the directory you mean." },
  DIRECTORY_LOOP: {
    meaning: "A symbolic link leads back to a directory that holds it; it was not followed.",
    next: "Remove the link.",
  },
  RENDERER_MISSING: {
    meaning: "A Helm chart or a kustomization was named, and no program that renders it was found; it was not checked.",
    next: "Install helm, kustomize or kubectl, or render it yourself and scan the output.",
  },
  RENDER_FAILED: {
    meaning: "A program could not render a Helm chart or a kustomization; it was not checked.",
    next: "Run the program by hand and correct what it complains about.",
  },
  KUBECONFIG_MISSING: { meaning: "No kubeconfig was found.", next: "Set KUBECONFIG, or name a file with --kubeconfig." },
  KUBECONFIG_INVALID: {
    meaning: "A kubeconfig cannot be read, or what was asked of it is not there.",
    next: "Correct the kubeconfig, or choose another context with --context.",
  },
  CREDENTIALS_MISSING: {
    meaning: "There are no credentials for the cluster, or it does not accept them.",
    next: "Log in again, and check that kubectl reaches the cluster.",
  },
  IDENTITY_MISSING: { meaning: "A request came without a credential.", next: "Run castellan login, and castellan kubeconfig." },
  IDENTITY_SEVERAL: {
    meaning: "A request came with more than one credential; which one is meant cannot be known.",
    next: "Send one bearer token, or one client certificate.",
  },
  IDENTITY_INVALID: {
    meaning: "A token or client certificate is not accepted: expired, not for this server, or not of an issuer that it knows.",
    next: "Log in again; compare the issuer and audience with those of the identities file.",
  },
  IDENTITY_TOO_LARGE: {
    meaning: "A token is longer than 16 KiB, or names more than 512 groups.",
    next: "Let the issuer put only the groups into tokens that clusters need.",
  },
  IDENTITY_NAME_REFUSED: {
    meaning:
      "An identity has a user name or a group that no identity provider may give, as those that begin with system: or castellan:.",
    next: "Rename the group, or set a groupsPrefix or usernamePrefix for the issuer.",
  },
  IDENTITY_LOCKED: { meaning: "Access is locked for this person.", next: "Ask an administrator of Castellan." },
  IDENTITY_UNCHECKED: {
    meaning: "A token could not be checked, since its issuer's keys cannot be fetched; it was not accepted.",
    next: "Check that the server reaches the issuer.",
  },
  CLUSTER_UNREACHABLE: { meaning: "The API server does not answer.", next: "Check that kubectl reaches the cluster." },
  CLUSTER_FORBIDDEN: {
    meaning: "The user may not list some resources, so nothing is known about their objects.",
    next: "Bind a role with the verb list on them, or narrow the scan to namespaces that the user may read.",
  },
  CLUSTER_PARTIAL: {
    meaning: "The API server, or one of the servers behind it, did not answer about some resources.",
    next: "Look at the APIService that the message names, and scan again.",
  },
  YAML_SYNTAX: { meaning: "A document is not valid YAML; it was left out.", next: "Correct the text at this position." },
  YAML_VALUE: {
    meaning: "A document holds something that Kubernetes cannot read as JSON: an infinity, a null key, a tag that does not fit.",
    next: "Write the value as JSON could hold it.",
  },
  YAML_ALIASES: {
    meaning: "A document's aliases expand beyond all measure, hold themselves, or name no anchor.",
    next: "Write the repeated parts out.",
  },
  YAML_TOO_DEEP: { meaning: "A document nests deeper than 500 levels.", next: "Check that the file is what you think it is." },
  JSON_SYNTAX: { meaning: "A text is not valid JSON.", next: "Correct the text at this position." },
  DUPLICATE_KEY: {
    meaning: "A mapping has the same key twice; Kubernetes takes the last value, and strict clients refuse the object.",
    next: "Keep one of them.",
  },
  JMESPATH_SYNTAX: {
    meaning:
      "A JMESPath expression cannot be parsed, or calls a function that does not exist or with the wrong number of arguments.",
    next: "Correct the expression at the position that the message names.",
  },
  KYV_VARIABLE: {
    meaning: "A variable `{{ ... }}` or a reference `$(...)` in a Kyverno policy is malformed.",
    next: "Correct the expression between the braces.",
  },
  KYV_DEPRECATED: {
    meaning: "A Kyverno policy uses something that Kyverno has deprecated.",
    next: "Write what the message proposes instead.",
  },
  KYV_CONDITION: {
    meaning: "A condition of a Kyverno policy has a wrong shape or an operator that does not exist.",
    next: "Give it key, operator and value; operators are Equals, NotEquals, AnyIn, AllIn, AnyNotIn, AllNotIn, GreaterThan, GreaterThanOrEquals, LessThan, LessThanOrEquals.",
  },
  KIND_UNKNOWN: {
    meaning: "A policy directory holds a document of a kind that is not a policy.",
    next: "Remove it from --policies or scan it as an object.",
  },
  CEL_EXPRESSION: {
    meaning:
      "A CEL expression of a policy is missing, cannot be parsed, or does not fit its types; what holds it is not evaluated.",
    next: "Correct the expression at the position that the message names.",
  },
  CEL_TYPE: {
    meaning:
      "A CEL expression does not fit what a kind that the policy names looks like: a field is misspelt, or compared with a value of another type.",
    next: "Correct the field at the position that the message names, or narrow matchConstraints to the kinds that have it.",
  },
  POLICIES_NONE: {
    meaning: "What --policies names holds no policy that can run, so nothing was judged by policies.",
    next: "Check that it is the folder or file you mean.",
  },
  POLICY_UNBOUND: {
    meaning:
      "An admission policy has no binding among the policies, so a cluster would not apply it; failures are only recorded.",
    next: "Add the ValidatingAdmissionPolicyBinding or MutatingAdmissionPolicyBinding to --policies.",
  },
  SCHEMA_UNKNOWN: {
    meaning: "Objects of a custom kind were not checked against a schema, as no CustomResourceDefinition of theirs is given.",
    next: "Name the definition with --crds, or leave out --schema.",
  },
  TEST_INVALID: {
    meaning: "A test file can not be understood; its expectations count as failed.",
    next: "Correct the test as the message says.",
  },
  KYV_UNKNOWN_FIELD: {
    meaning: "A Kyverno policy has a field that its definition does not know; the rule that holds it is not evaluated.",
    next: "Correct the name of the field, or remove it.",
  },
  KYV_WRONG_TYPE: {
    meaning: "A field of a Kyverno policy holds a value of the wrong type; the rule that holds it is not evaluated.",
    next: "Give the field a value of the type that its definition asks for.",
  },
  KYV_BAD_MATCH: {
    meaning: "A match or exclude block of a Kyverno policy can not be understood.",
    next: "Correct the block as the message says.",
  },
  KYV_BAD_SELECTOR: {
    meaning: "A label selector of a Kyverno policy is not valid, so it would select nothing.",
    next: "Correct the selector as the message says.",
  },
  KYV_BAD_RULE: {
    meaning: "A rule of a Kyverno policy can not be evaluated; its results are errors.",
    next: "Correct the rule as the message says.",
  },
  KYV_POD_SECURITY_LEVEL: {
    meaning: "A podSecurity rule has the level privileged, at which Kyverno makes every check all the same.",
    next: "Remove the rule, or choose baseline or restricted.",
  },
  KYV_BAD_EXCEPTION: {
    meaning: "A PolicyException can not be understood; it lifts nothing.",
    next: "Correct the exception as the message says.",
  },
  KYV_GLOBAL_CONTEXT: {
    meaning: "A GlobalContextEntry can not be understood; policies that refer to it cannot be checked.",
    next: "Correct the entry as the message says.",
  },
  KYV_NOT_SUPPORTED: {
    meaning: "A rule of a Kyverno policy uses a feature that is not supported; its results are errors.",
    next: "Express the rule with another feature, or check it elsewhere.",
  },
  RBAC_MALFORMED: {
    meaning: "A role or binding holds a field of the wrong type.",
    next: "Correct the field; the API server refuses this object.",
  },
  RBAC_PROPOSAL_INVALID: {
    meaning: "A proposal of `rbac apply` holds something else than service accounts, roles and bindings.",
    next: "Give each object its name and namespace, and leave other objects to kubectl.",
  },
  IDENTITIES_INVALID: {
    meaning: "A file of identities holds something else, or an entry that cannot be understood.",
    next: "Write kind: Identities with users, each with a name and a list of groups.",
  },
  AUDIT_EVENT_INVALID: {
    meaning: "A line of an audit log is no audit event; it was left out.",
    next: "Look at the line that the message names; a log that was cut while it was written ends in the middle of one.",
  },
  OBJECT_INCOMPLETE: {
    meaning: "A document has an apiVersion or a kind, but not both, so that nobody can tell what it is; it was not checked.",
    next: "Add what is missing, or keep the file out of the scanned paths.",
  },
  BASELINE_INVALID: {
    meaning: "A baseline file could not be understood, so no finding was accepted.",
    next: "Write it anew with --write-baseline.",
  },
  CATALOGUE_INVALID: {
    meaning: "A file of the catalogue has an unknown field, or a path that cannot be read.",
    next: "Correct the place that the message names; the head of the file explains its format.",
  },
  FLOW_LINE_INVALID: {
    meaning: "A line of a flow log cannot be read; it was left out.",
    next: "Look at the line that the message names, and check that the whole file is of one format.",
  },
  FLOW_FORMAT_UNKNOWN: {
    meaning: "A file of flows holds no line of a format that is known.",
    next: "Name the format with --format.",
  },
  NETWORK_TEST_INVALID: {
    meaning: "An assertion about the network cannot be understood, or names a workload that is not there; it counts as failed.",
    next: "Correct the assertion at this place.",
  },
  POD_SECURITY_CONFIGURATION: {
    meaning: "A PodSecurityConfiguration holds a field, level or version that the API server would refuse.",
    next: "Correct the place that the message names.",
  },
  NETWORK_POLICY_INVALID: {
    meaning:
      "A part of a network policy is not what its API accepts. A rule with such a part allows nothing; a policy whose selector is wrong is left out.",
    next: "Correct the place that the message names; the API server refuses this object.",
  },
  NETWORK_POLICY_UNSUPPORTED: {
    meaning: "A network policy says something that the analysis does not model, so answers that depend on it are not certain.",
    next: "Read the message, and check the connections that it is about by hand.",
  },
  NETWORK_POLICY_UNDETERMINED: {
    meaning: "Two policies of equal priority select the same pods, and no specification says which of them decides.",
    next: "Give them different priorities.",
  },
  NETWORK_OBJECT_INVALID: {
    meaning: "An object that bears on who may talk to whom holds a value of the wrong type; that part was left out.",
    next: "Correct the place that the message names.",
  },
  GATEKEEPER_TEMPLATE: {
    meaning: "A ConstraintTemplate lacks a part, or has it in the wrong place, so its constraints judge nothing.",
    next: "Complete the template: a kind, one target, and Rego with a rule violation.",
  },
  GATEKEEPER_CONSTRAINT: {
    meaning: "A constraint does not fit its template, or has none, so it judges nothing.",
    next: "Correct the place that the message names, or add the ConstraintTemplate to the policies.",
  },
  GATEKEEPER_SCHEMA: {
    meaning: "The parameters of a constraint are not what the schema of its template asks for, so it judges nothing.",
    next: "Give the parameters the form that the message asks for.",
  },
  GATEKEEPER_MATCH: {
    meaning: "The match block of a constraint or a mutator can not be understood.",
    next: "Correct the block as the message says.",
  },
  GATEKEEPER_MUTATOR: {
    meaning: "A mutator can not be understood, or contradicts another; it changes nothing.",
    next: "Correct the place that the message names.",
  },
  GATEKEEPER_EXPANSION: {
    meaning: "An ExpansionTemplate can not be understood, or begins a circle; nothing is expanded by it.",
    next: "Correct the place that the message names.",
  },
  REGO_PARSE: {
    meaning: "A Rego module has a syntax error, so nothing of it is evaluated.",
    next: "Correct the line that the message shows.",
  },
  REGO_COMPILE: {
    meaning: "A Rego module breaks a rule of the language: names that hide others, wrong imports or modifiers.",
    next: "Correct the line as the message says.",
  },
  REGO_TYPE: {
    meaning: "A Rego module calls a function that there is not, or one with arguments of the wrong number or type.",
    next: "Correct the call, or the rule that the message names.",
  },
  REGO_UNSAFE_VAR: {
    meaning: "A variable of a Rego rule has no value: nothing before its use binds it.",
    next: "Bind the variable in an expression that is not negated, or correct its name.",
  },
  REGO_RECURSION: {
    meaning: "A Rego rule needs its own value.",
    next: "Take the rule out of the circle that the message shows.",
  },
  ACCESS_NO_RULE: {
    meaning: "No access rule lets this person ask for this.",
    next: "Ask an administrator for an AccessRule that offers it, or ask for something that a rule offers.",
  },
  ACCESS_REJECTED: {
    meaning: "An access rule refuses what was asked for, at this time or in this state.",
    next: "Read the reason in the message; ask again when it no longer holds.",
  },
  ACCESS_REASON_REQUIRED: {
    meaning: "The access rule wants a reason, and none was given.",
    next: "Say why it is needed.",
  },
  ACCESS_BAD_REQUEST: {
    meaning: "A request for access makes no sense: no time at all, an end in the past, a mode that the rule does not have.",
    next: "Correct what the message names.",
  },
  ACCESS_LOCKED: {
    meaning: "This person is locked out of all access by grants.",
    next: "Ask an administrator to lift the lock.",
  },
  ACCESS_TOO_MANY: {
    meaning: "This person has more requests waiting than one may have.",
    next: "Cancel those that are no longer needed.",
  },
  ACCESS_NO_PERSON: {
    meaning: "A login proves no person, so nothing can be asked for or decided with it.",
    next: "Log in by the identity provider, or with castellan login.",
  },
  ACCESS_SIGN_IN_AGAIN: {
    meaning:
      "The identity provider said too long ago in which groups somebody is, or does not vouch for their login any more; nothing is asked for, decided, reviewed or used by such groups.",
    next: "Log in again: at /login of the console, or with castellan login. The setting oidc.groupsMaxAge says how long is too long.",
  },
  CHAT_CODE_UNKNOWN: {
    meaning: "The link for a chat user is too old, was used, or was never given.",
    next: "Say /castellan link again.",
  },
  CHAT_REFUSED: {
    meaning: "A message that says to come from a chat is not signed by it, is too old, or was seen before.",
    next: "Check the signing secret of the notifications and the server's clock.",
  },
  ACCESS_NOT_FOUND: { meaning: "There is no request with this id.", next: "List the requests to find its id." },
  ACCESS_SELF_APPROVAL: {
    meaning: "Somebody tried to decide their own request, perhaps under another login.",
    next: "Let somebody else of the approvers decide.",
  },
  ACCESS_PROGRAM: { meaning: "A program tried to decide a request.", next: "Let a person decide." },
  ACCESS_NOT_APPROVER: {
    meaning: "This person is none of the request's approvers.",
    next: "Let one of the approvers decide whom the request names.",
  },
  ACCESS_ALREADY_APPROVED: {
    meaning: "This person has approved the request before; nobody counts twice.",
    next: "Wait for the other approvers.",
  },
  ACCESS_DECIDED: { meaning: "The request was decided before.", next: "Look at the request; a grant can be revoked." },
  ACCESS_LAPSED: {
    meaning: "Nobody decided the request in time; decisions come too late.",
    next: "Ask again.",
  },
  ACCESS_EXPIRED: { meaning: "The grant's time is over.", next: "Ask again." },
  ACCESS_ENDED: { meaning: "The request was ended before.", next: "Look at why it ended, and ask again if it is still needed." },
  ACCESS_USED: { meaning: "The grant was for one call, which was made.", next: "Ask again for another call." },
  ACCESS_NOT_GRANTED: { meaning: "The request is not granted.", next: "Wait until it is approved." },
  ACCESS_OTHER_ACTION: {
    meaning: "The call is not the one that was approved: its cluster, person, bytes, object or rule differ.",
    next: "Make exactly the call that was approved, or ask for the new one.",
  },
  ACCESS_NOT_REQUESTER: { meaning: "Only who asked may do this.", next: "Let the requester do it." },
  ACCESS_RULE_CHANGED: {
    meaning: "The access rule changed, or no longer holds for the requester, since the request was made.",
    next: "Ask again under the rules as they are now.",
  },
  ACCESS_NOT_BREAK_GLASS: {
    meaning: "Only break-glass access is reviewed afterwards, once, by somebody else.",
    next: "Look at the request for what happened to it.",
  },
  ACCESS_NO_SWEEPER: {
    meaning: "Access by role bindings is off, or nothing would remove the bindings in time.",
    next: "Ask for a session through the gateway, or switch role bindings on in the server.",
  },
  ACCESS_UNAVAILABLE: {
    meaning: "The database does not answer, so nothing is asked for, decided or granted.",
    next: "Bring the database back and try again.",
  },
  RESOURCE_INVALID: {
    meaning: "A document of castellan.dev has a field of the wrong type or value, or lacks one; nothing of it is in force.",
    next: "Correct the place that the message names.",
  },
  RESOURCE_UNKNOWN_FIELD: {
    meaning: "A document of castellan.dev has a field that its kind does not know; nothing of it is in force.",
    next: "Correct the name, or remove the field.",
  },
  SCHEDULE_INVALID: {
    meaning: "A Schedule names a time zone, window, freeze or rotation that there cannot be, so nothing may rely on it.",
    next: "Correct the place that the message names.",
  },
  STREAM_UNREADABLE: {
    meaning: "What goes over the connection cannot be read, so it cannot be recorded; it is not opened, or cut.",
    next: "Use kubectl, or a client that names v4.channel.k8s.io, v5.channel.k8s.io or portforward.k8s.io.",
  },
  RECORDER_UNAVAILABLE: {
    meaning: "A session cannot be recorded, so it is not begun, or cut.",
    next: "Look at the server's log: its database does not take what is written.",
  },
  RECORDING_UNKNOWN: { meaning: "There is no recording with this id.", next: "List the recordings to find its id." },
  RECORDING_REMOVED: {
    meaning: "What was shown in the session was removed by retention; the ledger keeps that it was, and its digest.",
    next: "Look at the ledger's records of it.",
  },
  ACCESS_RULE_INVALID: {
    meaning: "An access rule contradicts itself or names something that there is not, so it offers nothing.",
    next: "Correct the place that the message names.",
  },
  DIRECTORY_INVALID: {
    meaning: "The directory of people contradicts itself: an id or an alias stands for two people, or a manager is nobody.",
    next: "Correct the place that the message names.",
  },
  GUARDRAIL_INVALID: {
    meaning:
      "A guardrail contradicts itself or names a schedule that there is not; what it is about is denied until that is put right.",
    next: "Correct the place that the message names, and load its schedules together with it.",
  },
} as const satisfies Record<string, { meaning: string; next: string }>;

export type DiagnosticCode = keyof typeof diagnosticCodes;
