import type { JsonObject } from "../../core/json.ts";

/** A refusal as Kubernetes clients read it (metav1.Status). */
export interface Refusal {
  readonly status: number;
  /** `Forbidden`, `Expired`, ... of metav1.StatusReason; empty where there is none. */
  readonly reason: string;
  /** kubectl prints it; it says what to do next. */
  readonly message: string;
  readonly causes?: readonly { readonly reason: string; readonly message: string; readonly field?: string }[] | undefined;
  /** Of what the call was about. */
  readonly details?: { readonly group?: string; readonly kind?: string; readonly name?: string } | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** The connection is not used again: what is still to come on it is not read. */
  readonly close?: boolean | undefined;
}

const reasons: { readonly [status: number]: string } = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  408: "Timeout",
  409: "Conflict",
  410: "Expired",
  413: "RequestEntityTooLarge",
  429: "TooManyRequests",
  500: "InternalError",
  502: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};

export function refusal(status: number, message: string, more: Partial<Refusal> = {}): Refusal {
  return { status, reason: reasons[status] ?? "", message, ...more };
}

export function statusObject({ status, reason, message, causes, details, retryAfterSeconds }: Refusal): JsonObject {
  const told = {
    ...details,
    ...(causes === undefined || causes.length === 0 ? {} : { causes: causes.map((cause) => ({ ...cause })) }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(Object.keys(told).length === 0 ? {} : { details: told }),
    code: status,
  };
}
