import { Alert, Badge, Button, Center, Loader, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Loading, Obstacle, Severity } from "../api.ts";

/** Shows an answer, or that it is on its way, or why it does not come. A stale answer stays under the problem. */
export function Answer<T>({ state, children }: { readonly state: Loading<T>; readonly children: (value: T) => ReactNode }) {
  return (
    <>
      {state.problem !== undefined && (
        <Problem message={state.problem} because={state.because ?? "other"} isStale={state.value !== undefined} />
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

const problemTitles: { readonly [obstacle in Obstacle]: string } = {
  login: "You are not logged in",
  forbidden: "This is not yours to see",
  unreachable: "The server cannot be reached",
  other: "The server gave no answer",
};

interface ProblemProps {
  readonly message: string;
  readonly because: Obstacle;
  readonly isStale: boolean;
}

/** Why there is no answer, and what helps. */
function Problem({ message, because, isStale }: ProblemProps) {
  const isGone = because === "unreachable";
  return (
    <Alert color={isGone ? "yellow" : "red"} title={problemTitles[because]} mb="md" role="alert">
      <Stack gap="xs" align="start">
        {because !== "login" && <Text size="sm">{isGone ? "This page goes on by itself when it is back." : message}</Text>}
        {isStale && <Text size="sm">What is shown below is from before.</Text>}
        {because === "login" && (
          <Button component="a" href="/login" size="compact-sm">
            Log in
          </Button>
        )}
      </Stack>
    </Alert>
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
