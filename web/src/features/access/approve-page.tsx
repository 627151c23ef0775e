import { Grid, NavLink, Stack, Text } from "@mantine/core";
import { useEffect } from "react";
import { Link, useLocation, useParams } from "wouter";
import { PageTitle } from "../../components/page-title.tsx";
import { Answer } from "../../components/state.tsx";
import { type RequestView, useRequest, useRequests } from "./access-api.ts";
import { DecisionForm } from "./decision-form.tsx";
import { RequestDetail } from "./request-detail.tsx";
import { Left } from "./requests-page.tsx";
import { askText, BreakGlass, personText } from "./wording.tsx";

/** What waits for me: the queue on one side, the request that I look at on the other. */
export function ApprovePage() {
  const { id } = useParams<{ id?: string }>();
  const state = useRequests({ decidable: true });
  const [, navigate] = useLocation();
  const first = state.value?.items[0]?.id;
  // What one looks at stays, with its outcome, when it leaves the queue.
  useEffect(() => {
    if (id === undefined && first !== undefined) navigate(`/access/approve/${first}`, { replace: true });
  }, [id, first, navigate]);
  return (
    <Stack>
      <PageTitle text="To approve" />
      <Answer state={state}>
        {({ items }) => {
          if (id === undefined) return <Text>Nothing waits for you. New requests appear here by themselves.</Text>;
          return (
            <Grid>
              <Grid.Col span={{ base: 12, md: 4, xl: 3 }}>
                <Queue items={items} chosen={id} />
              </Grid.Col>
              <Grid.Col span={{ base: 12, md: 8, xl: 9 }}>
                <Chosen key={id} id={id} />
              </Grid.Col>
            </Grid>
          );
        }}
      </Answer>
    </Stack>
  );
}

function Queue({ items, chosen }: { readonly items: readonly RequestView[]; readonly chosen: string }) {
  return (
    <nav aria-label="Requests that wait for you">
      {items.length === 0 && <Text size="sm">Nothing else waits for you.</Text>}
      {items.map((request) => (
        <NavLink
          key={request.id}
          component={Link}
          href={`/access/approve/${request.id}`}
          active={request.id === chosen}
          aria-current={request.id === chosen ? "page" : undefined}
          label={personText(request.requester)}
          description={
            <>
              {askText(request)} · <Left request={request} /> left {request.breakGlass && <BreakGlass />}
            </>
          }
          styles={{ description: { color: "var(--mantine-color-dimmed)", wordBreak: "break-word" } }}
        />
      ))}
    </nav>
  );
}

function Chosen({ id }: { readonly id: string }) {
  const state = useRequest(id);
  return (
    <Answer state={state}>
      {(request) => (
        <RequestDetail request={request}>
          <DecisionForm request={request} />
        </RequestDetail>
      )}
    </Answer>
  );
}
