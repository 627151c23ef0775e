import { Anchor, Card, List, Text, Title } from "@mantine/core";
import { Link } from "wouter";
import { count } from "../../../src/report/text.ts";
import { type OverviewAnswer, query, shortPolicy, useAnswer } from "../api.ts";
import { useNow } from "../clock.ts";
import { mayAct, useUser } from "../session.ts";
import { type RequestView, useDeadLetters, useRequests } from "./access/access-api.ts";

/** An exception that ends within this time is prolonged, or its object put right, before it does. */
const soonMilliseconds = 7 * 86_400_000;

interface Task {
  readonly text: string;
  readonly href: string;
}

interface AttentionProps {
  readonly broken: OverviewAnswer["broken"];
}

/** What goes on only when a person does something. */
export function AttentionCard({ broken }: AttentionProps) {
  const user = useUser();
  if (user === undefined) return null;
  // Who may not see messages would be refused them on every visit.
  return mayAct(user, "auditor") ? <WithLetters broken={broken} /> : <Tasks broken={broken} letters={0} />;
}

function WithLetters({ broken }: AttentionProps) {
  return <Tasks broken={broken} letters={useDeadLetters().value?.items.length ?? 0} />;
}

function Tasks({ broken, letters }: AttentionProps & { readonly letters: number }) {
  const now = useNow();
  const decidable = useRequests({ decidable: true });
  const granted = useRequests({ phase: "granted" });
  const campaigns = useAnswer("/api/v1/reviews");
  const reviews = (campaigns.value?.items ?? []).filter(({ decided, bindings }) => decided < bindings);
  const ending = (granted.value?.items ?? [])
    .flatMap((request) => exceptionOf(request) ?? [])
    .filter(({ until }) => until - now < soonMilliseconds);
  const waiting = decidable.value?.items.length ?? 0;
  const tasks: readonly Task[] = [
    ...broken.map(({ cluster, policy }) => ({
      text: `The newest text of ${policy} does not compile in ${cluster}`,
      href: `/policies${query({ cluster })}`,
    })),
    ...(waiting === 0 ? [] : [{ text: `${count(waiting, "request")} to approve`, href: "/access/approve" }]),
    ...reviews.map(({ cluster, name, bindings, decided }) => ({
      text: `Access review ${name} of ${cluster}: ${count(bindings - decided, "binding")} undecided`,
      href: `/reviews/${encodeURIComponent(cluster)}/${encodeURIComponent(name)}`,
    })),
    ...(letters === 0 ? [] : [{ text: `${count(letters, "notification")} reached nobody`, href: "/access/notifications" }]),
    ...ending.map(({ id, policy, until }) => ({
      text: `The exception from ${shortPolicy(policy)} ends ${new Date(until).toLocaleString()}`,
      href: `/access/requests/${id}`,
    })),
  ];
  const isKnown = [decidable, granted, campaigns].every(({ value }) => value !== undefined);
  return (
    <Card withBorder component="section" aria-label="What needs a person now">
      <Title order={3} size="h5" mb="xs">
        What needs a person now
      </Title>
      {tasks.length === 0 && <Text size="sm">{isKnown ? "Nothing waits for anybody." : "Looking."}</Text>}
      <List size="sm">
        {tasks.map(({ text, href }) => (
          <List.Item key={`${href} ${text}`}>
            <Anchor component={Link} href={href} size="sm">
              {text}
            </Anchor>
          </List.Item>
        ))}
      </List>
    </Card>
  );
}

const exceptionOf = ({ id, ask }: RequestView) =>
  ask.type === "exception" ? { id, policy: ask.policy, until: ask.until } : undefined;
