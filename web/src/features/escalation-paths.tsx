import { Alert, Group, List, Paper, SegmentedControl, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue, useMediaQuery } from "@mantine/hooks";
import { useSearchParams } from "wouter";
import { count } from "../../../src/report/text.ts";
import { type Answer, query, useAnswer } from "../api.ts";
import { useCluster, useSeveralClusters } from "../cluster.tsx";
import { Pages } from "../components/pages.tsx";
import { Answer as Shown } from "../components/state.tsx";
import { EscalationGraph } from "./escalation-graph.tsx";
import type { EscalationPath } from "./escalation-tree.ts";

type Paths = Answer<"/api/v1/rbac/paths">;

const targets: readonly { readonly target: Paths["targets"][number]["target"]; readonly label: string }[] = [
  { target: "cluster-admin", label: "cluster-admin" },
  { target: "secrets", label: "all secrets" },
  { target: "node", label: "a node" },
];

const pageSize = 20;

/** Who could become more than they are: drawn, and in words. */
export function EscalationPaths() {
  const [search, setSearch] = useSearchParams();
  const cluster = useCluster();
  const { target: to } = targets.find(({ target }) => target === search.get("to")) ?? { target: "cluster-admin" as const };
  const from = search.get("from") ?? "";
  const [words] = useDebouncedValue(from, 200);
  const isNarrow = useMediaQuery("(max-width: 36em)");
  const page = Math.max(1, Math.trunc(Number(search.get("page"))) || 1);
  const set = (name: string, value: string) =>
    setSearch((before) => {
      before.delete("page");
      if (value === "") before.delete(name);
      else before.set(name, value);
      return before;
    });
  const asked = { cluster, to, from: words, offset: (page - 1) * pageSize, limit: pageSize };
  const state = useAnswer("/api/v1/rbac/paths", { query: asked });
  const reaching = (target: string) => state.value?.targets.find((one) => one.target === target)?.paths;
  return (
    <Stack>
      <Group align="end">
        <TextInput
          label="Who"
          placeholder="anybody"
          value={from}
          onChange={(event) => set("from", event.currentTarget.value)}
          w={280}
        />
        <SegmentedControl
          orientation={isNarrow ? "vertical" : "horizontal"}
          aria-label="What is reached"
          value={to}
          onChange={(value) => set("to", value === "cluster-admin" ? "" : value)}
          data={targets.map(({ target, label }) => {
            const paths = reaching(target);
            return { value: target, label: paths === undefined ? label : `${label} (${paths})` };
          })}
        />
      </Group>
      <Shown state={state}>
        {(answer) => (
          <Ways
            answer={answer}
            isFiltered={words !== ""}
            page={page}
            toPage={(number) => set("page", number === 1 ? "" : String(number))}
            hrefOf={(subject) => `/rights${query({ show: "paths", cluster, to: search.get("to") ?? "", from: subject })}`}
          />
        )}
      </Shown>
    </Stack>
  );
}

interface WaysProps {
  readonly answer: Paths;
  readonly isFiltered: boolean;
  readonly page: number;
  readonly toPage: (page: number) => void;
  readonly hrefOf: (subject: string) => string;
}

function Ways({ answer: { total, lengths, items, already, cuts, unknown }, isFiltered, page, toPage, hrefOf }: WaysProps) {
  const areSeveral = useSeveralClusters();
  return (
    <Stack>
      {unknown.length > 0 && <Alert color="yellow">Not reached yet, so not known: {unknown.join(", ")}.</Alert>}
      <Text size="sm" aria-live="polite">
        {total === 0
          ? `${isFiltered ? "None of these" : "Nobody"} gets there who is not there by their own rights.`
          : `${total === 1 ? "1 identity gets" : `${total} identities get`} there: ${lengths.map(lengthText).join(", ")}.`}
      </Text>
      {items.length > 0 && <EscalationGraph paths={items} areSeveral={areSeveral} hrefOf={hrefOf} />}
      <Pages label="Pages of ways" total={total} pageSize={pageSize} page={page} toPage={toPage} />
      {items.length > 0 && (
        <>
          <Title order={3} size="h5">
            In words, with the bindings behind each step
          </Title>
          {items.map((path) => (
            <Way key={`${path.cluster} ${path.from}`} path={path} areSeveral={areSeveral} />
          ))}
        </>
      )}
      {!isFiltered && cuts.length > 0 && (
        <>
          <Title order={3} size="h5">
            Removing one binding ends the way of so many
          </Title>
          <List size="sm">
            {cuts.map(({ cluster, binding, breaks }) => (
              <List.Item key={`${cluster} ${binding}`}>
                {breaks}: {areSeveral ? `${cluster} ${binding}` : binding}
              </List.Item>
            ))}
          </List>
        </>
      )}
      {already.length > 0 && <Already subjects={already} areSeveral={areSeveral} />}
    </Stack>
  );
}

const shownSubjects = 20;

function Already({ subjects, areSeveral }: { readonly subjects: Paths["already"]; readonly areSeveral: boolean }) {
  const names = subjects.map(({ cluster, subject }) => (areSeveral ? `${cluster} ${subject}` : subject));
  const more = names.length - shownSubjects;
  return (
    <Text size="sm">
      There by their own rights: {names.slice(0, shownSubjects).join(", ")}
      {more > 0 && ` and ${more} more`}.
    </Text>
  );
}

const lengthText = ({ hops, paths }: Paths["lengths"][number]): string => `${paths} in ${count(hops, "step")}`;

function Way({ path: { cluster, from, hops }, areSeveral }: { readonly path: EscalationPath; readonly areSeveral: boolean }) {
  return (
    <Paper withBorder p="sm" component="article">
      <Text fw={700} size="sm" style={{ overflowWrap: "anywhere" }}>
        {areSeveral ? `${cluster} ${from}` : from}
      </Text>
      <List type="ordered" size="sm">
        {hops.map(({ says, to, grants }) => (
          <List.Item key={to} style={{ overflowWrap: "anywhere" }}>
            {says} → {to}
            {grants.map(({ binding, role, rule }) => (
              <Text key={`${binding} ${rule}`} size="xs" c="dimmed">
                {binding} → {role}: {rule}
              </Text>
            ))}
          </List.Item>
        ))}
      </List>
    </Paper>
  );
}
