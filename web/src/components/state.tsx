import { Alert, Badge, Center, Loader } from "@mantine/core";
import type { ReactNode } from "react";
import type { Loading, Severity } from "../api.ts";

/** Shows an answer, or that it is on its way, or why it does not come. A stale answer stays under the problem. */
export function Answer<T>({ state, children }: { readonly state: Loading<T>; readonly children: (value: T) => ReactNode }) {
  return (
    <>
      {state.problem !== undefined && (
        <Alert color="red" title="The server did not answer" mb="md" role="alert">
          {state.problem}
        </Alert>
      )}
      {state.value !== undefined && children(state.value)}
      {state.value === undefined && state.problem === undefined && (
        <Center py="xl">
          <Loader aria-label="Loading" />
        </Center>
      )}
    </>
  );
}

export const severityColours: { readonly [severity in Severity]: string } = {
  critical: "#c92a2a",
  high: "#b93f0b",
  medium: "#ffe066",
  low: "#1864ab",
  info: "#495057",
};

export const worstFirst: readonly Severity[] = ["critical", "high", "medium", "low", "info"];

export function SeverityBadge({ severity }: { readonly severity: Severity }) {
  return (
    <Badge color={severityColours[severity]} variant="filled" radius="sm" w={84}>
      {severity}
    </Badge>
  );
}

/** A time for people, exact on hover. */
export function Time({ at }: { readonly at: number }) {
  const date = new Date(at);
  return (
    <time dateTime={date.toISOString()} title={date.toISOString()}>
      {date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })}
    </time>
  );
}
