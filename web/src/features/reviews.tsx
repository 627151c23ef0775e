import { Anchor, Badge, Progress, Stack, Switch, Table, Text, VisuallyHidden } from "@mantine/core";
import { useState } from "react";
import { Link, useParams } from "wouter";
import { type Answer, addressOf, useAnswer } from "../api.ts";
import { PageTitle } from "../components/page-title.tsx";
import { Answer as Shown, Time } from "../components/state.tsx";
import { act, isAdministrator, useUser } from "../session.ts";
import { ActionButton } from "./access/action-button.tsx";
import { NewReview } from "./new-review.tsx";

type Campaign = Answer<"/api/v1/reviews">["items"][number];
type Binding = Answer<"/api/v1/reviews/{cluster}/{name}">["items"][number];

const reviewPath = "/api/v1/reviews/{cluster}/{name}";

/** Campaigns in which the owner of each binding keeps it or gives it up. */
export function ReviewsPage() {
  const state = useAnswer("/api/v1/reviews");
  const user = useUser();
  return (
    <Stack>
      <PageTitle text="Access reviews" />
      <Text c="dimmed">The owner of each binding says whether it is still needed, knowing when it was last used.</Text>
      {isAdministrator(user) && <NewReview />}
      <Shown state={state}>
        {({ items }) => (items.length === 0 ? <Text>No review has begun.</Text> : <Campaigns items={items} />)}
      </Shown>
    </Stack>
  );
}

function Campaigns({ items }: { readonly items: readonly Campaign[] }) {
  return (
    <Table>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Review</Table.Th>
          <Table.Th>Cluster</Table.Th>
          <Table.Th>Began</Table.Th>
          <Table.Th>Decided</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {items.map((row) => (
          <Table.Tr key={`${row.cluster}/${row.name}`}>
            <Table.Td>
              <Anchor
                inherit
                component={Link}
                href={`/reviews/${encodeURIComponent(row.cluster)}/${encodeURIComponent(row.name)}`}
              >
                {row.name}
              </Anchor>
            </Table.Td>
            <Table.Td>{row.cluster}</Table.Td>
            <Table.Td>
              <Time at={row.began} />
            </Table.Td>
            <Table.Td>
              {row.decided} of {row.bindings}
              <Progress value={(row.decided / Math.max(1, row.bindings)) * 100} aria-hidden size="sm" />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** One review: what is open first. */
export function ReviewPage() {
  const params = useParams<{ cluster: string; name: string }>();
  const review = { cluster: decodeURIComponent(params.cluster), name: decodeURIComponent(params.name) };
  const [onlyMine, setOnlyMine] = useState(false);
  const state = useAnswer(reviewPath, { path: review });
  return (
    <Stack>
      <PageTitle text={`Review ${review.name} of ${review.cluster}`} />
      <Switch
        label="Only what I may decide and nobody has decided"
        checked={onlyMine}
        onChange={(event) => setOnlyMine(event.currentTarget.checked)}
      />
      <Shown state={state}>
        {({ items }) => {
          const shown = items.filter((row) => !onlyMine || (row.mayDecide && row.decision === undefined));
          const open = items.filter(({ decision }) => decision === undefined).length;
          return (
            <>
              <Text size="sm" role="status">
                {open} of {items.length} bindings are still to be decided.
              </Text>
              <Bindings items={shown} address={addressOf(reviewPath, { path: review })} />
            </>
          );
        }}
      </Shown>
    </Stack>
  );
}

function Bindings({ items, address }: { readonly items: readonly Binding[]; readonly address: string }) {
  return (
    <Table.ScrollContainer minWidth={820}>
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Binding</Table.Th>
            <Table.Th>Role</Table.Th>
            <Table.Th>For</Table.Th>
            <Table.Th>Owner</Table.Th>
            <Table.Th w={200}>Last use</Table.Th>
            <Table.Th w={220}>Decision</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((row) => (
            <Table.Tr key={row.binding} style={{ wordBreak: "break-word" }}>
              <Table.Td>{row.binding}</Table.Td>
              <Table.Td>{row.role}</Table.Td>
              <Table.Td>{row.subjects.join(", ")}</Table.Td>
              <Table.Td>{row.owner ?? "nobody is named"}</Table.Td>
              <Table.Td>{row.lastUse === undefined ? "not seen" : <Time at={row.lastUse} />}</Table.Td>
              <Table.Td>
                <Decision row={row} address={address} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Decision({ row, address }: { readonly row: Binding; readonly address: string }) {
  const { decision, binding } = row;
  const decide = (what: "keep" | "revoke") => (reason: string) => act(`${address}/decisions`, { binding, what, reason });
  return (
    <Stack gap={4}>
      {decision !== undefined && (
        <Text size="sm">
          <Badge color={decision.what === "keep" ? "#237032" : "#c92a2a"} radius="sm">
            {decision.what}
          </Badge>{" "}
          {decision.by}: {decision.reason}
        </Text>
      )}
      {row.mayDecide && (
        <fieldset style={{ border: 0, padding: 0, margin: 0, display: "flex", gap: 6 }}>
          <VisuallyHidden component="legend">{binding}</VisuallyHidden>
          <ActionButton
            label="Keep"
            size="compact-sm"
            color="#237032"
            explain={`${binding} is still needed.`}
            reason="required"
            run={decide("keep")}
          />
          <ActionButton
            label="Revoke"
            size="compact-sm"
            explain={`${binding} is to be taken away. The decision is recorded; the binding itself is deleted where it is kept.`}
            reason="required"
            run={decide("revoke")}
          />
        </fieldset>
      )}
    </Stack>
  );
}
