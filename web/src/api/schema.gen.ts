// Written by `npm run docs` from the OpenAPI document; not by hand.

import type { JsonObject, JsonValue } from "../../../src/core/json.ts";

/** What each route answers when it succeeds. */
export interface Answers {
  "DELETE /api/v1/access/chat-links": {
    readonly ended: number;
  };
  "GET /api/v1/access/chat-links": {
    readonly chat: string;
    readonly team: string;
    readonly user: string;
    readonly name: string;
  };
  "GET /api/v1/access/locks": {
    readonly items: readonly {
      readonly human: string;
      readonly by: string;
      readonly why: string;
      readonly at: number;
      readonly until?: number;
    }[];
  };
  "GET /api/v1/access/notifications": {
    readonly items: readonly {
      readonly id: string;
      readonly request: string;
      readonly event: string;
      readonly target: string;
      readonly headline: string;
      readonly state: "pending" | "sent" | "dead";
      readonly attempts: number;
      readonly created: number;
      readonly due: number;
      readonly sent?: number;
      readonly problem?: string;
    }[];
  };
  "GET /api/v1/access/offer": {
    readonly clusters: readonly string[];
    /** undefined: no rule offers it */
    readonly offer?: {
      readonly rule: string;
      readonly verdict: "approve" | "reject" | "no-opinion" | "require";
      /** why the verdict, in a sentence */
      readonly because: string;
      /** who must agree */
      readonly slots: readonly {
        readonly name: string;
        readonly count: number;
        readonly approvers: {
          readonly groups: readonly string[];
          readonly humans: readonly string[];
        };
      }[];
      /** no longer than the rule gives */
      readonly grantMilliseconds: number;
      readonly role?: {
        readonly kind: "Role" | "ClusterRole";
        readonly name: string;
      };
      readonly modes: readonly ("gateway" | "rolebinding")[];
    };
  };
  "GET /api/v1/access/recordings": {
    readonly items: readonly {
      readonly id: string;
      readonly kind: "exec" | "attach" | "portforward";
      readonly cluster: string;
      readonly user: string;
      readonly human: string;
      readonly namespace: string;
      readonly pod: string;
      readonly container?: string;
      readonly command: readonly string[];
      readonly started: number;
      readonly ended?: number;
      readonly request?: string;
      readonly outcome?: {
        readonly why: string;
        readonly digest: string;
        readonly chunks: number;
        readonly bytes: number;
        readonly milliseconds?: number;
        readonly exitCode?: number;
        readonly ports?: { readonly [name: string]: number };
        readonly carried?: {
          readonly in: number;
          readonly out: number;
        };
        readonly unrecorded?: {
          readonly at: number;
          readonly why: string;
        };
        readonly interrupted?: true;
      };
      readonly removed?: number;
    }[];
  };
  "GET /api/v1/access/recordings/{id}": {
    readonly id: string;
    readonly kind: "exec" | "attach" | "portforward";
    readonly cluster: string;
    readonly user: string;
    readonly human: string;
    readonly namespace: string;
    readonly pod: string;
    readonly container?: string;
    readonly command: readonly string[];
    readonly started: number;
    readonly ended?: number;
    readonly request?: string;
    readonly outcome?: {
      readonly why: string;
      readonly digest: string;
      readonly chunks: number;
      readonly bytes: number;
      readonly milliseconds?: number;
      readonly exitCode?: number;
      readonly ports?: { readonly [name: string]: number };
      readonly carried?: {
        readonly in: number;
        readonly out: number;
      };
      readonly unrecorded?: {
        readonly at: number;
        readonly why: string;
      };
      readonly interrupted?: true;
    };
    readonly removed?: number;
    readonly verified?: boolean;
    readonly problem?: string;
  };
  "GET /api/v1/access/requests": {
    readonly items: readonly {
      readonly id: string;
      readonly cluster: string;
      readonly requester: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      readonly ask: {
        readonly type: "action";
        readonly action: {
          readonly cluster: string;
          readonly verb: string;
          readonly isResourceRequest: boolean;
          readonly path: string;
          readonly apiGroup: string;
          readonly apiVersion: string;
          readonly resource: string;
          readonly subresource: string;
          readonly namespace: string;
          readonly name: string;
          readonly dryRun: boolean;
          readonly http: {
            readonly method: string;
            readonly target: string;
            readonly contentType: string;
            readonly contentEncoding: string;
            readonly bodyDigest: string;
          };
          readonly pinned?: {
            readonly uid: string;
            readonly digest: string;
          };
          readonly namespaceLabels?: { readonly [name: string]: string };
          /** milliseconds since the epoch */
          readonly at: number;
        };
        readonly digest: string;
        readonly preview?: {
          readonly before?: JsonObject;
          readonly after?: JsonObject;
          readonly sent?: JsonValue;
          /** there is a body of which nobody can say what it asks for */
          readonly unread?: boolean;
        };
      } | {
        readonly type: "session";
        readonly namespace: string;
        readonly milliseconds: number;
        readonly mode: "gateway" | "rolebinding";
      } | {
        readonly type: "exception";
        readonly policy: string;
        readonly rules: readonly string[];
        readonly object: {
          readonly apiVersion: string;
          readonly kind: string;
          readonly namespace: string;
          readonly name: string;
        };
        /** milliseconds since the epoch */
        readonly until: number;
      };
      readonly reason: string;
      readonly rule: {
        readonly name: string;
        readonly version: string;
      };
      /** what the grant's group is bound to */
      readonly role?: {
        readonly kind: "Role" | "ClusterRole";
        readonly name: string;
      };
      readonly guardrails: readonly string[];
      readonly breakGlass: boolean;
      readonly reviewed?: {
        readonly by: {
          readonly issuer: string;
          readonly subject: string;
          readonly user: string;
          readonly groups: readonly string[];
          readonly human: string;
          readonly isProgram: boolean;
          readonly displayName?: string;
        };
        /** milliseconds since the epoch */
        readonly at: number;
        readonly comment: string;
      };
      /** of break-glass: whoever may fill one of these looks at it afterwards */
      readonly reviewers?: readonly {
        readonly name: string;
        readonly count: number;
        readonly approvers: {
          readonly groups: readonly string[];
          readonly humans: readonly string[];
        };
      }[];
      readonly slots: readonly {
        readonly name: string;
        readonly count: number;
        readonly approvers: {
          readonly groups: readonly string[];
          readonly humans: readonly string[];
        };
      }[];
      readonly approvals: readonly {
        readonly by: {
          readonly issuer: string;
          readonly subject: string;
          readonly user: string;
          readonly groups: readonly string[];
          readonly human: string;
          readonly isProgram: boolean;
          readonly displayName?: string;
        };
        /** milliseconds since the epoch */
        readonly at: number;
        readonly verdict: "approve" | "deny";
        readonly comment: string;
        readonly channel: "cli" | "console" | "api" | "slack" | "rule";
        readonly fills?: readonly string[];
      }[];
      /** milliseconds since the epoch */
      readonly opened: number;
      /** milliseconds since the epoch */
      readonly pendingUntil: number;
      readonly grantMilliseconds: number;
      readonly phase: "pending" | "granted" | "denied" | "cancelled" | "lapsed" | "ended";
      readonly ended?: {
        /** milliseconds since the epoch */
        readonly at: number;
        readonly why: string;
        readonly by?: {
          readonly issuer: string;
          readonly subject: string;
          readonly user: string;
          readonly groups: readonly string[];
          readonly human: string;
          readonly isProgram: boolean;
          readonly displayName?: string;
        };
      };
      readonly grant?: {
        readonly id: string;
        /** milliseconds since the epoch */
        readonly from: number;
        /** milliseconds since the epoch */
        readonly until: number;
        readonly group: string;
        readonly use: "live" | "consumed" | "sent" | "done" | "unknown";
      };
      /** milliseconds since the epoch */
      readonly seen: number;
      readonly revision: number;
      readonly mayDecide: boolean;
      readonly mayCancel: boolean;
      readonly mayRevoke: boolean;
      readonly mayReview: boolean;
    }[];
  };
  "GET /api/v1/access/requests/{id}": {
    readonly id: string;
    readonly cluster: string;
    readonly requester: {
      readonly issuer: string;
      readonly subject: string;
      readonly user: string;
      readonly groups: readonly string[];
      readonly human: string;
      readonly isProgram: boolean;
      readonly displayName?: string;
    };
    readonly ask: {
      readonly type: "action";
      readonly action: {
        readonly cluster: string;
        readonly verb: string;
        readonly isResourceRequest: boolean;
        readonly path: string;
        readonly apiGroup: string;
        readonly apiVersion: string;
        readonly resource: string;
        readonly subresource: string;
        readonly namespace: string;
        readonly name: string;
        readonly dryRun: boolean;
        readonly http: {
          readonly method: string;
          readonly target: string;
          readonly contentType: string;
          readonly contentEncoding: string;
          readonly bodyDigest: string;
        };
        readonly pinned?: {
          readonly uid: string;
          readonly digest: string;
        };
        readonly namespaceLabels?: { readonly [name: string]: string };
        /** milliseconds since the epoch */
        readonly at: number;
      };
      readonly digest: string;
      readonly preview?: {
        readonly before?: JsonObject;
        readonly after?: JsonObject;
        readonly sent?: JsonValue;
        /** there is a body of which nobody can say what it asks for */
        readonly unread?: boolean;
      };
    } | {
      readonly type: "session";
      readonly namespace: string;
      readonly milliseconds: number;
      readonly mode: "gateway" | "rolebinding";
    } | {
      readonly type: "exception";
      readonly policy: string;
      readonly rules: readonly string[];
      readonly object: {
        readonly apiVersion: string;
        readonly kind: string;
        readonly namespace: string;
        readonly name: string;
      };
      /** milliseconds since the epoch */
      readonly until: number;
    };
    readonly reason: string;
    readonly rule: {
      readonly name: string;
      readonly version: string;
    };
    /** what the grant's group is bound to */
    readonly role?: {
      readonly kind: "Role" | "ClusterRole";
      readonly name: string;
    };
    readonly guardrails: readonly string[];
    readonly breakGlass: boolean;
    readonly reviewed?: {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly comment: string;
    };
    /** of break-glass: whoever may fill one of these looks at it afterwards */
    readonly reviewers?: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly slots: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly approvals: readonly {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly verdict: "approve" | "deny";
      readonly comment: string;
      readonly channel: "cli" | "console" | "api" | "slack" | "rule";
      readonly fills?: readonly string[];
    }[];
    /** milliseconds since the epoch */
    readonly opened: number;
    /** milliseconds since the epoch */
    readonly pendingUntil: number;
    readonly grantMilliseconds: number;
    readonly phase: "pending" | "granted" | "denied" | "cancelled" | "lapsed" | "ended";
    readonly ended?: {
      /** milliseconds since the epoch */
      readonly at: number;
      readonly why: string;
      readonly by?: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
    };
    readonly grant?: {
      readonly id: string;
      /** milliseconds since the epoch */
      readonly from: number;
      /** milliseconds since the epoch */
      readonly until: number;
      readonly group: string;
      readonly use: "live" | "consumed" | "sent" | "done" | "unknown";
    };
    /** milliseconds since the epoch */
    readonly seen: number;
    readonly revision: number;
    readonly mayDecide: boolean;
    readonly mayCancel: boolean;
    readonly mayRevoke: boolean;
    readonly mayReview: boolean;
    /** in one line */
    readonly what: string;
    /** RFC 6902: from the object as it is to what it would be */
    readonly changes: readonly {
      readonly op: string;
      readonly path: string;
      readonly value?: JsonValue;
      readonly from?: string;
    }[];
    readonly similar: readonly {
      readonly id: string;
      readonly user: string;
      readonly reason: string;
      readonly phase: "granted" | "denied" | "lapsed" | "cancelled";
      readonly decidedBy: readonly string[];
      readonly comment: string;
      /** milliseconds since the epoch */
      readonly at: number;
      readonly alike: readonly string[];
    }[];
    /** undefined: what the rule gives is not known */
    readonly risk?: {
      readonly score: number;
      readonly reasons: readonly string[];
    };
  };
  "GET /api/v1/access/requests/{id}/wait": {
    readonly id: string;
    readonly cluster: string;
    readonly requester: {
      readonly issuer: string;
      readonly subject: string;
      readonly user: string;
      readonly groups: readonly string[];
      readonly human: string;
      readonly isProgram: boolean;
      readonly displayName?: string;
    };
    readonly ask: {
      readonly type: "action";
      readonly action: {
        readonly cluster: string;
        readonly verb: string;
        readonly isResourceRequest: boolean;
        readonly path: string;
        readonly apiGroup: string;
        readonly apiVersion: string;
        readonly resource: string;
        readonly subresource: string;
        readonly namespace: string;
        readonly name: string;
        readonly dryRun: boolean;
        readonly http: {
          readonly method: string;
          readonly target: string;
          readonly contentType: string;
          readonly contentEncoding: string;
          readonly bodyDigest: string;
        };
        readonly pinned?: {
          readonly uid: string;
          readonly digest: string;
        };
        readonly namespaceLabels?: { readonly [name: string]: string };
        /** milliseconds since the epoch */
        readonly at: number;
      };
      readonly digest: string;
      readonly preview?: {
        readonly before?: JsonObject;
        readonly after?: JsonObject;
        readonly sent?: JsonValue;
        /** there is a body of which nobody can say what it asks for */
        readonly unread?: boolean;
      };
    } | {
      readonly type: "session";
      readonly namespace: string;
      readonly milliseconds: number;
      readonly mode: "gateway" | "rolebinding";
    } | {
      readonly type: "exception";
      readonly policy: string;
      readonly rules: readonly string[];
      readonly object: {
        readonly apiVersion: string;
        readonly kind: string;
        readonly namespace: string;
        readonly name: string;
      };
      /** milliseconds since the epoch */
      readonly until: number;
    };
    readonly reason: string;
    readonly rule: {
      readonly name: string;
      readonly version: string;
    };
    /** what the grant's group is bound to */
    readonly role?: {
      readonly kind: "Role" | "ClusterRole";
      readonly name: string;
    };
    readonly guardrails: readonly string[];
    readonly breakGlass: boolean;
    readonly reviewed?: {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly comment: string;
    };
    /** of break-glass: whoever may fill one of these looks at it afterwards */
    readonly reviewers?: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly slots: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly approvals: readonly {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly verdict: "approve" | "deny";
      readonly comment: string;
      readonly channel: "cli" | "console" | "api" | "slack" | "rule";
      readonly fills?: readonly string[];
    }[];
    /** milliseconds since the epoch */
    readonly opened: number;
    /** milliseconds since the epoch */
    readonly pendingUntil: number;
    readonly grantMilliseconds: number;
    readonly phase: "pending" | "granted" | "denied" | "cancelled" | "lapsed" | "ended";
    readonly ended?: {
      /** milliseconds since the epoch */
      readonly at: number;
      readonly why: string;
      readonly by?: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
    };
    readonly grant?: {
      readonly id: string;
      /** milliseconds since the epoch */
      readonly from: number;
      /** milliseconds since the epoch */
      readonly until: number;
      readonly group: string;
      readonly use: "live" | "consumed" | "sent" | "done" | "unknown";
    };
    /** milliseconds since the epoch */
    readonly seen: number;
    readonly revision: number;
    readonly mayDecide: boolean;
    readonly mayCancel: boolean;
    readonly mayRevoke: boolean;
    readonly mayReview: boolean;
  };
  "GET /api/v1/audit/questions": {
    readonly items: readonly {
      readonly name: string;
      readonly question: string;
    }[];
  };
  "GET /api/v1/audit/records": {
    readonly items: readonly {
      readonly seq: number;
      readonly kind: string;
      /** milliseconds since the epoch */
      readonly at: number;
      /** milliseconds since the epoch */
      readonly recorded: number;
      readonly cluster: string;
      readonly actor: string | null;
      readonly verb: string | null;
      readonly group: string | null;
      readonly resource: string | null;
      readonly namespace: string | null;
      readonly name: string | null;
      readonly outcome: string | null;
    }[];
  };
  "GET /api/v1/audit/records/{seq}": {
    readonly seq: number;
    /** the canonical text that the tree holds */
    readonly record: string;
    /** hashes, base64 */
    readonly proof: readonly string[];
    /** a signed note */
    readonly checkpoint: string;
  };
  "GET /api/v1/findings": {
    readonly total: number;
    /** of the total */
    readonly warnings: number;
    /** of the total: what could not be checked */
    readonly errors: number;
    readonly items: readonly {
      readonly cluster: string;
      readonly id: string;
      readonly policy: string;
      readonly rule: string;
      readonly title: string;
      readonly status: "pass" | "fail" | "warn" | "error" | "skip";
      readonly severity: "info" | "low" | "medium" | "high" | "critical";
      readonly group: string;
      readonly kind: string;
      readonly namespace: string;
      /** whose the namespace is; empty where no label says so */
      readonly team: string;
      readonly name: string;
      readonly message: string;
      readonly path: string;
      readonly controls: readonly string[];
    }[];
  };
  "GET /api/v1/findings/groups": {
    readonly items: readonly {
      /** empty: no namespace, or no team */
      readonly name: string;
      readonly total: number;
      /** of the total: failures */
      readonly counts: {
        readonly info: number;
        readonly low: number;
        readonly medium: number;
        readonly high: number;
        readonly critical: number;
      };
      /** of the total */
      readonly warnings: number;
      /** of the total: what could not be checked */
      readonly errors: number;
    }[];
  };
  "GET /api/v1/findings/{id}": {
    readonly cluster: string;
    readonly id: string;
    readonly policy: string;
    readonly rule: string;
    readonly title: string;
    readonly status: "pass" | "fail" | "warn" | "error" | "skip";
    readonly severity: "info" | "low" | "medium" | "high" | "critical";
    readonly group: string;
    readonly kind: string;
    readonly namespace: string;
    /** whose the namespace is; empty where no label says so */
    readonly team: string;
    readonly name: string;
    readonly message: string;
    readonly path: string;
    readonly controls: readonly string[];
    readonly url?: string;
    /** the path to what is wrong in the object */
    readonly at: readonly (string | number)[];
    readonly evidence?: JsonObject;
    readonly fix?: {
      readonly description: string;
      readonly patch?: readonly JsonObject[];
      readonly object?: JsonObject;
      /** the object once it is put right; of a Secret the keys alone */
      readonly after?: JsonObject;
      /** after is another object, which would be added */
      readonly isNew?: boolean;
    };
    readonly location?: {
      readonly file: string;
      readonly line: number;
      readonly column: number;
    };
    /** of a Secret the keys alone */
    readonly object?: JsonObject;
  };
  "GET /api/v1/flows": {
    readonly items: readonly {
      readonly cluster: string;
      readonly flows: number;
      readonly rows: readonly {
        readonly from: string;
        readonly to: string;
        readonly names: readonly string[];
        readonly protocol: string;
        readonly port: number | null;
        readonly flows: number;
        readonly dropped: number;
        readonly last: number | null;
        readonly verdict: "allowed" | "denied" | "undecided";
        readonly why: string;
        /** the network does something else than the policies say */
        readonly differs: boolean;
      }[];
      readonly unknown: readonly string[];
    }[];
  };
  "GET /api/v1/overview": {
    /** those that are governed */
    readonly clusters: readonly string[];
    /** those that do not answer; known: what is shown is how they were before */
    readonly unreached: readonly {
      readonly cluster: string;
      readonly since: number;
      readonly reason: string;
      readonly known: boolean;
    }[];
    /** those whose webhooks another server holds: nothing is judged here at admission */
    readonly admissionElsewhere: readonly {
      readonly cluster: string;
      readonly by: string;
      readonly until: number;
    }[];
    readonly objects: number;
    readonly policies: number;
    /** policies whose newest text does not compile */
    readonly broken: readonly {
      readonly cluster: string;
      readonly policy: string;
    }[];
    readonly records: number;
    /** failures */
    readonly total: {
      readonly info: number;
      readonly low: number;
      readonly medium: number;
      readonly high: number;
      readonly critical: number;
    };
    readonly warnings: number;
    /** what could not be checked */
    readonly errors: number;
    readonly byCluster: readonly {
      readonly name: string;
      readonly counts: {
        readonly info: number;
        readonly low: number;
        readonly medium: number;
        readonly high: number;
        readonly critical: number;
      };
    }[];
    /** the empty name stands for cluster-scoped objects */
    readonly byNamespace: readonly {
      readonly name: string;
      readonly counts: {
        readonly info: number;
        readonly low: number;
        readonly medium: number;
        readonly high: number;
        readonly critical: number;
      };
    }[];
    /** the empty name stands for objects of namespaces that no label gives to a team */
    readonly byTeam: readonly {
      readonly name: string;
      readonly counts: {
        readonly info: number;
        readonly low: number;
        readonly medium: number;
        readonly high: number;
        readonly critical: number;
      };
    }[];
    readonly byPolicy: readonly {
      readonly name: string;
      readonly counts: {
        readonly info: number;
        readonly low: number;
        readonly medium: number;
        readonly high: number;
        readonly critical: number;
      };
    }[];
  };
  "GET /api/v1/policies": {
    readonly items: readonly {
      readonly cluster: string;
      readonly name: string;
      readonly title: string;
      readonly category: string;
      readonly severity: string;
      readonly origin: string;
      readonly mode: "audit" | "warn" | "enforce";
      readonly rules: readonly string[];
      /** its newest text does not compile */
      readonly broken: boolean;
      /** what its rules said at admission since this server started */
      readonly admitted?: {
        readonly pass: number;
        readonly fail: number;
        readonly warn: number;
        readonly error: number;
        readonly skip: number;
      };
      /** what is wrong now */
      readonly findings: {
        readonly fail: number;
        readonly warn: number;
        readonly error: number;
      };
      /** of judging one object, the median of the last samples of the background scan */
      readonly cost?: {
        readonly microseconds: number;
        readonly samples: number;
      };
    }[];
  };
  "GET /api/v1/policies/preview": {
    readonly ok: true;
    readonly policy: string;
    readonly preview: {
      readonly policies: readonly string[];
      readonly judged: {
        readonly objects: number;
        readonly requests: number;
        readonly recorded: number;
      };
      readonly notReplayed: number;
      readonly stopped: readonly {
        readonly source: "objects" | "history" | "recorded";
        readonly status: "fail" | "error";
        readonly policy: string;
        readonly rule: string;
        readonly severity: "info" | "low" | "medium" | "high" | "critical";
        readonly team: string;
        readonly namespace: string;
        readonly user: string;
        readonly kind: string;
        readonly name: string;
        readonly message: string;
        readonly times: number;
        readonly at?: number;
      }[];
      readonly undecided: readonly {
        readonly source: "objects" | "history" | "recorded";
        readonly status: "fail" | "error";
        readonly policy: string;
        readonly rule: string;
        readonly severity: "info" | "low" | "medium" | "high" | "critical";
        readonly team: string;
        readonly namespace: string;
        readonly user: string;
        readonly kind: string;
        readonly name: string;
        readonly message: string;
        readonly times: number;
        readonly at?: number;
      }[];
      readonly excepted: number;
      readonly passed: number;
    };
  };
  "GET /api/v1/rbac/paths": {
    /** how many reach each, whoever is asked about */
    readonly targets: readonly {
      readonly target: "cluster-admin" | "secrets" | "node";
      readonly says: string;
      readonly paths: number;
    }[];
    readonly total: number;
    /** of the total: how many need so many hops */
    readonly lengths: readonly {
      readonly hops: number;
      readonly paths: number;
    }[];
    /** the shortest way of each, shortest first */
    readonly items: readonly {
      readonly cluster: string;
      readonly from: string;
      readonly hops: readonly {
        readonly techniques: readonly string[];
        readonly says: string;
        readonly to: string;
        readonly grants: readonly {
          readonly binding: string;
          readonly role: string;
          readonly rule: string;
        }[];
      }[];
    }[];
    /** who is there by their own rights */
    readonly already: readonly {
      readonly cluster: string;
      readonly subject: string;
    }[];
    /** bindings whose removal ends the way of most, whoever is asked about */
    readonly cuts: readonly {
      readonly cluster: string;
      readonly binding: string;
      readonly breaks: number;
    }[];
    /** clusters of which nothing is known yet */
    readonly unknown: readonly string[];
  };
  "GET /api/v1/rbac/who-can": {
    readonly holders: readonly {
      readonly cluster: string;
      readonly subject: string;
      /** empty: in the whole cluster */
      readonly namespace: string;
      readonly binding: string;
      readonly role: string;
      readonly rule: string;
    }[];
    /** bindings that could not be followed */
    readonly unresolved: readonly string[];
  };
  "GET /api/v1/reviews": {
    readonly items: readonly {
      readonly cluster: string;
      readonly name: string;
      readonly began: number;
      readonly bindings: number;
      readonly decided: number;
    }[];
  };
  "GET /api/v1/reviews/{cluster}/{name}": {
    readonly items: readonly {
      readonly binding: string;
      readonly role: string;
      readonly subjects: readonly string[];
      readonly owner?: string;
      readonly lastUse?: number;
      readonly decision?: {
        readonly what: "keep" | "revoke";
        readonly by: string;
        readonly at: number;
        readonly reason: string;
      };
      readonly mayDecide: boolean;
    }[];
  };
  "GET /api/v1/session": {
    readonly user: {
      readonly name: string;
      readonly groups: readonly string[];
      readonly roles: readonly ("viewer" | "auditor" | "policy-admin" | "admin")[];
    };
    readonly csrfToken: string;
  };
  "GET /api/v1/trend": {
    /** a point an hour, or a day where more than a week is asked for */
    readonly points: readonly {
      readonly at: number;
      readonly critical: number;
      readonly high: number;
      readonly medium: number;
      readonly low: number;
      readonly info: number;
      readonly warnings: number;
      readonly errors: number;
    }[];
  };
  "POST /api/v1/access/chat-links": {
    readonly chat: string;
    readonly team: string;
    readonly user: string;
    readonly name: string;
  };
  "POST /api/v1/access/requests": {
    readonly id: string;
    readonly cluster: string;
    readonly requester: {
      readonly issuer: string;
      readonly subject: string;
      readonly user: string;
      readonly groups: readonly string[];
      readonly human: string;
      readonly isProgram: boolean;
      readonly displayName?: string;
    };
    readonly ask: {
      readonly type: "action";
      readonly action: {
        readonly cluster: string;
        readonly verb: string;
        readonly isResourceRequest: boolean;
        readonly path: string;
        readonly apiGroup: string;
        readonly apiVersion: string;
        readonly resource: string;
        readonly subresource: string;
        readonly namespace: string;
        readonly name: string;
        readonly dryRun: boolean;
        readonly http: {
          readonly method: string;
          readonly target: string;
          readonly contentType: string;
          readonly contentEncoding: string;
          readonly bodyDigest: string;
        };
        readonly pinned?: {
          readonly uid: string;
          readonly digest: string;
        };
        readonly namespaceLabels?: { readonly [name: string]: string };
        /** milliseconds since the epoch */
        readonly at: number;
      };
      readonly digest: string;
      readonly preview?: {
        readonly before?: JsonObject;
        readonly after?: JsonObject;
        readonly sent?: JsonValue;
        /** there is a body of which nobody can say what it asks for */
        readonly unread?: boolean;
      };
    } | {
      readonly type: "session";
      readonly namespace: string;
      readonly milliseconds: number;
      readonly mode: "gateway" | "rolebinding";
    } | {
      readonly type: "exception";
      readonly policy: string;
      readonly rules: readonly string[];
      readonly object: {
        readonly apiVersion: string;
        readonly kind: string;
        readonly namespace: string;
        readonly name: string;
      };
      /** milliseconds since the epoch */
      readonly until: number;
    };
    readonly reason: string;
    readonly rule: {
      readonly name: string;
      readonly version: string;
    };
    /** what the grant's group is bound to */
    readonly role?: {
      readonly kind: "Role" | "ClusterRole";
      readonly name: string;
    };
    readonly guardrails: readonly string[];
    readonly breakGlass: boolean;
    readonly reviewed?: {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly comment: string;
    };
    /** of break-glass: whoever may fill one of these looks at it afterwards */
    readonly reviewers?: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly slots: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly approvals: readonly {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly verdict: "approve" | "deny";
      readonly comment: string;
      readonly channel: "cli" | "console" | "api" | "slack" | "rule";
      readonly fills?: readonly string[];
    }[];
    /** milliseconds since the epoch */
    readonly opened: number;
    /** milliseconds since the epoch */
    readonly pendingUntil: number;
    readonly grantMilliseconds: number;
    readonly phase: "pending" | "granted" | "denied" | "cancelled" | "lapsed" | "ended";
    readonly ended?: {
      /** milliseconds since the epoch */
      readonly at: number;
      readonly why: string;
      readonly by?: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
    };
    readonly grant?: {
      readonly id: string;
      /** milliseconds since the epoch */
      readonly from: number;
      /** milliseconds since the epoch */
      readonly until: number;
      readonly group: string;
      readonly use: "live" | "consumed" | "sent" | "done" | "unknown";
    };
    /** milliseconds since the epoch */
    readonly seen: number;
    readonly revision: number;
    readonly mayDecide: boolean;
    readonly mayCancel: boolean;
    readonly mayRevoke: boolean;
    readonly mayReview: boolean;
  };
  "POST /api/v1/access/requests/{id}/approve": {
    readonly id: string;
    readonly cluster: string;
    readonly requester: {
      readonly issuer: string;
      readonly subject: string;
      readonly user: string;
      readonly groups: readonly string[];
      readonly human: string;
      readonly isProgram: boolean;
      readonly displayName?: string;
    };
    readonly ask: {
      readonly type: "action";
      readonly action: {
        readonly cluster: string;
        readonly verb: string;
        readonly isResourceRequest: boolean;
        readonly path: string;
        readonly apiGroup: string;
        readonly apiVersion: string;
        readonly resource: string;
        readonly subresource: string;
        readonly namespace: string;
        readonly name: string;
        readonly dryRun: boolean;
        readonly http: {
          readonly method: string;
          readonly target: string;
          readonly contentType: string;
          readonly contentEncoding: string;
          readonly bodyDigest: string;
        };
        readonly pinned?: {
          readonly uid: string;
          readonly digest: string;
        };
        readonly namespaceLabels?: { readonly [name: string]: string };
        /** milliseconds since the epoch */
        readonly at: number;
      };
      readonly digest: string;
      readonly preview?: {
        readonly before?: JsonObject;
        readonly after?: JsonObject;
        readonly sent?: JsonValue;
        /** there is a body of which nobody can say what it asks for */
        readonly unread?: boolean;
      };
    } | {
      readonly type: "session";
      readonly namespace: string;
      readonly milliseconds: number;
      readonly mode: "gateway" | "rolebinding";
    } | {
      readonly type: "exception";
      readonly policy: string;
      readonly rules: readonly string[];
      readonly object: {
        readonly apiVersion: string;
        readonly kind: string;
        readonly namespace: string;
        readonly name: string;
      };
      /** milliseconds since the epoch */
      readonly until: number;
    };
    readonly reason: string;
    readonly rule: {
      readonly name: string;
      readonly version: string;
    };
    /** what the grant's group is bound to */
    readonly role?: {
      readonly kind: "Role" | "ClusterRole";
      readonly name: string;
    };
    readonly guardrails: readonly string[];
    readonly breakGlass: boolean;
    readonly reviewed?: {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly comment: string;
    };
    /** of break-glass: whoever may fill one of these looks at it afterwards */
    readonly reviewers?: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly slots: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly approvals: readonly {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly verdict: "approve" | "deny";
      readonly comment: string;
      readonly channel: "cli" | "console" | "api" | "slack" | "rule";
      readonly fills?: readonly string[];
    }[];
    /** milliseconds since the epoch */
    readonly opened: number;
    /** milliseconds since the epoch */
    readonly pendingUntil: number;
    readonly grantMilliseconds: number;
    readonly phase: "pending" | "granted" | "denied" | "cancelled" | "lapsed" | "ended";
    readonly ended?: {
      /** milliseconds since the epoch */
      readonly at: number;
      readonly why: string;
      readonly by?: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
    };
    readonly grant?: {
      readonly id: string;
      /** milliseconds since the epoch */
      readonly from: number;
      /** milliseconds since the epoch */
      readonly until: number;
      readonly group: string;
      readonly use: "live" | "consumed" | "sent" | "done" | "unknown";
    };
    /** milliseconds since the epoch */
    readonly seen: number;
    readonly revision: number;
    readonly mayDecide: boolean;
    readonly mayCancel: boolean;
    readonly mayRevoke: boolean;
    readonly mayReview: boolean;
  };
  "POST /api/v1/access/requests/{id}/cancel": {
    readonly id: string;
    readonly cluster: string;
    readonly requester: {
      readonly issuer: string;
      readonly subject: string;
      readonly user: string;
      readonly groups: readonly string[];
      readonly human: string;
      readonly isProgram: boolean;
      readonly displayName?: string;
    };
    readonly ask: {
      readonly type: "action";
      readonly action: {
        readonly cluster: string;
        readonly verb: string;
        readonly isResourceRequest: boolean;
        readonly path: string;
        readonly apiGroup: string;
        readonly apiVersion: string;
        readonly resource: string;
        readonly subresource: string;
        readonly namespace: string;
        readonly name: string;
        readonly dryRun: boolean;
        readonly http: {
          readonly method: string;
          readonly target: string;
          readonly contentType: string;
          readonly contentEncoding: string;
          readonly bodyDigest: string;
        };
        readonly pinned?: {
          readonly uid: string;
          readonly digest: string;
        };
        readonly namespaceLabels?: { readonly [name: string]: string };
        /** milliseconds since the epoch */
        readonly at: number;
      };
      readonly digest: string;
      readonly preview?: {
        readonly before?: JsonObject;
        readonly after?: JsonObject;
        readonly sent?: JsonValue;
        /** there is a body of which nobody can say what it asks for */
        readonly unread?: boolean;
      };
    } | {
      readonly type: "session";
      readonly namespace: string;
      readonly milliseconds: number;
      readonly mode: "gateway" | "rolebinding";
    } | {
      readonly type: "exception";
      readonly policy: string;
      readonly rules: readonly string[];
      readonly object: {
        readonly apiVersion: string;
        readonly kind: string;
        readonly namespace: string;
        readonly name: string;
      };
      /** milliseconds since the epoch */
      readonly until: number;
    };
    readonly reason: string;
    readonly rule: {
      readonly name: string;
      readonly version: string;
    };
    /** what the grant's group is bound to */
    readonly role?: {
      readonly kind: "Role" | "ClusterRole";
      readonly name: string;
    };
    readonly guardrails: readonly string[];
    readonly breakGlass: boolean;
    readonly reviewed?: {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly comment: string;
    };
    /** of break-glass: whoever may fill one of these looks at it afterwards */
    readonly reviewers?: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly slots: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly approvals: readonly {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly verdict: "approve" | "deny";
      readonly comment: string;
      readonly channel: "cli" | "console" | "api" | "slack" | "rule";
      readonly fills?: readonly string[];
    }[];
    /** milliseconds since the epoch */
    readonly opened: number;
    /** milliseconds since the epoch */
    readonly pendingUntil: number;
    readonly grantMilliseconds: number;
    readonly phase: "pending" | "granted" | "denied" | "cancelled" | "lapsed" | "ended";
    readonly ended?: {
      /** milliseconds since the epoch */
      readonly at: number;
      readonly why: string;
      readonly by?: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
    };
    readonly grant?: {
      readonly id: string;
      /** milliseconds since the epoch */
      readonly from: number;
      /** milliseconds since the epoch */
      readonly until: number;
      readonly group: string;
      readonly use: "live" | "consumed" | "sent" | "done" | "unknown";
    };
    /** milliseconds since the epoch */
    readonly seen: number;
    readonly revision: number;
    readonly mayDecide: boolean;
    readonly mayCancel: boolean;
    readonly mayRevoke: boolean;
    readonly mayReview: boolean;
  };
  "POST /api/v1/access/requests/{id}/deny": {
    readonly id: string;
    readonly cluster: string;
    readonly requester: {
      readonly issuer: string;
      readonly subject: string;
      readonly user: string;
      readonly groups: readonly string[];
      readonly human: string;
      readonly isProgram: boolean;
      readonly displayName?: string;
    };
    readonly ask: {
      readonly type: "action";
      readonly action: {
        readonly cluster: string;
        readonly verb: string;
        readonly isResourceRequest: boolean;
        readonly path: string;
        readonly apiGroup: string;
        readonly apiVersion: string;
        readonly resource: string;
        readonly subresource: string;
        readonly namespace: string;
        readonly name: string;
        readonly dryRun: boolean;
        readonly http: {
          readonly method: string;
          readonly target: string;
          readonly contentType: string;
          readonly contentEncoding: string;
          readonly bodyDigest: string;
        };
        readonly pinned?: {
          readonly uid: string;
          readonly digest: string;
        };
        readonly namespaceLabels?: { readonly [name: string]: string };
        /** milliseconds since the epoch */
        readonly at: number;
      };
      readonly digest: string;
      readonly preview?: {
        readonly before?: JsonObject;
        readonly after?: JsonObject;
        readonly sent?: JsonValue;
        /** there is a body of which nobody can say what it asks for */
        readonly unread?: boolean;
      };
    } | {
      readonly type: "session";
      readonly namespace: string;
      readonly milliseconds: number;
      readonly mode: "gateway" | "rolebinding";
    } | {
      readonly type: "exception";
      readonly policy: string;
      readonly rules: readonly string[];
      readonly object: {
        readonly apiVersion: string;
        readonly kind: string;
        readonly namespace: string;
        readonly name: string;
      };
      /** milliseconds since the epoch */
      readonly until: number;
    };
    readonly reason: string;
    readonly rule: {
      readonly name: string;
      readonly version: string;
    };
    /** what the grant's group is bound to */
    readonly role?: {
      readonly kind: "Role" | "ClusterRole";
      readonly name: string;
    };
    readonly guardrails: readonly string[];
    readonly breakGlass: boolean;
    readonly reviewed?: {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly comment: string;
    };
    /** of break-glass: whoever may fill one of these looks at it afterwards */
    readonly reviewers?: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly slots: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly approvals: readonly {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly verdict: "approve" | "deny";
      readonly comment: string;
      readonly channel: "cli" | "console" | "api" | "slack" | "rule";
      readonly fills?: readonly string[];
    }[];
    /** milliseconds since the epoch */
    readonly opened: number;
    /** milliseconds since the epoch */
    readonly pendingUntil: number;
    readonly grantMilliseconds: number;
    readonly phase: "pending" | "granted" | "denied" | "cancelled" | "lapsed" | "ended";
    readonly ended?: {
      /** milliseconds since the epoch */
      readonly at: number;
      readonly why: string;
      readonly by?: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
    };
    readonly grant?: {
      readonly id: string;
      /** milliseconds since the epoch */
      readonly from: number;
      /** milliseconds since the epoch */
      readonly until: number;
      readonly group: string;
      readonly use: "live" | "consumed" | "sent" | "done" | "unknown";
    };
    /** milliseconds since the epoch */
    readonly seen: number;
    readonly revision: number;
    readonly mayDecide: boolean;
    readonly mayCancel: boolean;
    readonly mayRevoke: boolean;
    readonly mayReview: boolean;
  };
  "POST /api/v1/access/requests/{id}/review": {
    readonly id: string;
    readonly cluster: string;
    readonly requester: {
      readonly issuer: string;
      readonly subject: string;
      readonly user: string;
      readonly groups: readonly string[];
      readonly human: string;
      readonly isProgram: boolean;
      readonly displayName?: string;
    };
    readonly ask: {
      readonly type: "action";
      readonly action: {
        readonly cluster: string;
        readonly verb: string;
        readonly isResourceRequest: boolean;
        readonly path: string;
        readonly apiGroup: string;
        readonly apiVersion: string;
        readonly resource: string;
        readonly subresource: string;
        readonly namespace: string;
        readonly name: string;
        readonly dryRun: boolean;
        readonly http: {
          readonly method: string;
          readonly target: string;
          readonly contentType: string;
          readonly contentEncoding: string;
          readonly bodyDigest: string;
        };
        readonly pinned?: {
          readonly uid: string;
          readonly digest: string;
        };
        readonly namespaceLabels?: { readonly [name: string]: string };
        /** milliseconds since the epoch */
        readonly at: number;
      };
      readonly digest: string;
      readonly preview?: {
        readonly before?: JsonObject;
        readonly after?: JsonObject;
        readonly sent?: JsonValue;
        /** there is a body of which nobody can say what it asks for */
        readonly unread?: boolean;
      };
    } | {
      readonly type: "session";
      readonly namespace: string;
      readonly milliseconds: number;
      readonly mode: "gateway" | "rolebinding";
    } | {
      readonly type: "exception";
      readonly policy: string;
      readonly rules: readonly string[];
      readonly object: {
        readonly apiVersion: string;
        readonly kind: string;
        readonly namespace: string;
        readonly name: string;
      };
      /** milliseconds since the epoch */
      readonly until: number;
    };
    readonly reason: string;
    readonly rule: {
      readonly name: string;
      readonly version: string;
    };
    /** what the grant's group is bound to */
    readonly role?: {
      readonly kind: "Role" | "ClusterRole";
      readonly name: string;
    };
    readonly guardrails: readonly string[];
    readonly breakGlass: boolean;
    readonly reviewed?: {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly comment: string;
    };
    /** of break-glass: whoever may fill one of these looks at it afterwards */
    readonly reviewers?: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly slots: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly approvals: readonly {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly verdict: "approve" | "deny";
      readonly comment: string;
      readonly channel: "cli" | "console" | "api" | "slack" | "rule";
      readonly fills?: readonly string[];
    }[];
    /** milliseconds since the epoch */
    readonly opened: number;
    /** milliseconds since the epoch */
    readonly pendingUntil: number;
    readonly grantMilliseconds: number;
    readonly phase: "pending" | "granted" | "denied" | "cancelled" | "lapsed" | "ended";
    readonly ended?: {
      /** milliseconds since the epoch */
      readonly at: number;
      readonly why: string;
      readonly by?: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
    };
    readonly grant?: {
      readonly id: string;
      /** milliseconds since the epoch */
      readonly from: number;
      /** milliseconds since the epoch */
      readonly until: number;
      readonly group: string;
      readonly use: "live" | "consumed" | "sent" | "done" | "unknown";
    };
    /** milliseconds since the epoch */
    readonly seen: number;
    readonly revision: number;
    readonly mayDecide: boolean;
    readonly mayCancel: boolean;
    readonly mayRevoke: boolean;
    readonly mayReview: boolean;
  };
  "POST /api/v1/access/requests/{id}/revoke": {
    readonly id: string;
    readonly cluster: string;
    readonly requester: {
      readonly issuer: string;
      readonly subject: string;
      readonly user: string;
      readonly groups: readonly string[];
      readonly human: string;
      readonly isProgram: boolean;
      readonly displayName?: string;
    };
    readonly ask: {
      readonly type: "action";
      readonly action: {
        readonly cluster: string;
        readonly verb: string;
        readonly isResourceRequest: boolean;
        readonly path: string;
        readonly apiGroup: string;
        readonly apiVersion: string;
        readonly resource: string;
        readonly subresource: string;
        readonly namespace: string;
        readonly name: string;
        readonly dryRun: boolean;
        readonly http: {
          readonly method: string;
          readonly target: string;
          readonly contentType: string;
          readonly contentEncoding: string;
          readonly bodyDigest: string;
        };
        readonly pinned?: {
          readonly uid: string;
          readonly digest: string;
        };
        readonly namespaceLabels?: { readonly [name: string]: string };
        /** milliseconds since the epoch */
        readonly at: number;
      };
      readonly digest: string;
      readonly preview?: {
        readonly before?: JsonObject;
        readonly after?: JsonObject;
        readonly sent?: JsonValue;
        /** there is a body of which nobody can say what it asks for */
        readonly unread?: boolean;
      };
    } | {
      readonly type: "session";
      readonly namespace: string;
      readonly milliseconds: number;
      readonly mode: "gateway" | "rolebinding";
    } | {
      readonly type: "exception";
      readonly policy: string;
      readonly rules: readonly string[];
      readonly object: {
        readonly apiVersion: string;
        readonly kind: string;
        readonly namespace: string;
        readonly name: string;
      };
      /** milliseconds since the epoch */
      readonly until: number;
    };
    readonly reason: string;
    readonly rule: {
      readonly name: string;
      readonly version: string;
    };
    /** what the grant's group is bound to */
    readonly role?: {
      readonly kind: "Role" | "ClusterRole";
      readonly name: string;
    };
    readonly guardrails: readonly string[];
    readonly breakGlass: boolean;
    readonly reviewed?: {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly comment: string;
    };
    /** of break-glass: whoever may fill one of these looks at it afterwards */
    readonly reviewers?: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly slots: readonly {
      readonly name: string;
      readonly count: number;
      readonly approvers: {
        readonly groups: readonly string[];
        readonly humans: readonly string[];
      };
    }[];
    readonly approvals: readonly {
      readonly by: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
      /** milliseconds since the epoch */
      readonly at: number;
      readonly verdict: "approve" | "deny";
      readonly comment: string;
      readonly channel: "cli" | "console" | "api" | "slack" | "rule";
      readonly fills?: readonly string[];
    }[];
    /** milliseconds since the epoch */
    readonly opened: number;
    /** milliseconds since the epoch */
    readonly pendingUntil: number;
    readonly grantMilliseconds: number;
    readonly phase: "pending" | "granted" | "denied" | "cancelled" | "lapsed" | "ended";
    readonly ended?: {
      /** milliseconds since the epoch */
      readonly at: number;
      readonly why: string;
      readonly by?: {
        readonly issuer: string;
        readonly subject: string;
        readonly user: string;
        readonly groups: readonly string[];
        readonly human: string;
        readonly isProgram: boolean;
        readonly displayName?: string;
      };
    };
    readonly grant?: {
      readonly id: string;
      /** milliseconds since the epoch */
      readonly from: number;
      /** milliseconds since the epoch */
      readonly until: number;
      readonly group: string;
      readonly use: "live" | "consumed" | "sent" | "done" | "unknown";
    };
    /** milliseconds since the epoch */
    readonly seen: number;
    readonly revision: number;
    readonly mayDecide: boolean;
    readonly mayCancel: boolean;
    readonly mayRevoke: boolean;
    readonly mayReview: boolean;
  };
  "POST /api/v1/policies/promote": {
    readonly ok: true;
    readonly policy: string;
    readonly preview: {
      readonly policies: readonly string[];
      readonly judged: {
        readonly objects: number;
        readonly requests: number;
        readonly recorded: number;
      };
      readonly notReplayed: number;
      readonly stopped: readonly {
        readonly source: "objects" | "history" | "recorded";
        readonly status: "fail" | "error";
        readonly policy: string;
        readonly rule: string;
        readonly severity: "info" | "low" | "medium" | "high" | "critical";
        readonly team: string;
        readonly namespace: string;
        readonly user: string;
        readonly kind: string;
        readonly name: string;
        readonly message: string;
        readonly times: number;
        readonly at?: number;
      }[];
      readonly undecided: readonly {
        readonly source: "objects" | "history" | "recorded";
        readonly status: "fail" | "error";
        readonly policy: string;
        readonly rule: string;
        readonly severity: "info" | "low" | "medium" | "high" | "critical";
        readonly team: string;
        readonly namespace: string;
        readonly user: string;
        readonly kind: string;
        readonly name: string;
        readonly message: string;
        readonly times: number;
        readonly at?: number;
      }[];
      readonly excepted: number;
      readonly passed: number;
    };
  };
  "POST /api/v1/reviews": {
    readonly added: number;
  };
}
