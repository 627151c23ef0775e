import { Anchor, Badge, Stack, Table, Text, VisuallyHidden } from "@mantine/core";
import { Link } from "wouter";
import { type PolicyRow, query, useAnswer } from "../api.ts";
import { useCluster, useSeveralClusters } from "../cluster.tsx";
import { PageTitle } from "../components/page-title.tsx";
import { Answer } from "../components/state.tsx";
import { mayAct, useUser } from "../session.ts";
import { PolicyRollout } from "./policy-rollout.tsx";

export function PoliciesPage() {
  const cluster = useCluster();
  const state = useAnswer("/api/v1/policies", { query: { cluster } });
  return (
    <Stack>
      <PageTitle text="Policies" />
      <Text c="dimmed">
        Your own policies, from files and from the cluster. The built-in checks run beside them and need no set-up. What rules
        said at admission is counted since this server started; the cost is that of judging one object, as the background scan
        measures it.
      </Text>
      <Answer state={state}>{({ items }) => <PolicyTable items={items} />}</Answer>
    </Stack>
  );
}

/** A guardrail says itself what it does: approval, reason or refusal are no stages. */
const isRolledOut = ({ broken, name }: PolicyRow) => !broken && !name.startsWith("castellan.dev/Guardrail/");

const modeColours = { enforce: "indigo", warn: "yellow", audit: "gray" } as const;

const statusWords = [
  ["fail", "failed"],
  ["error", "not checked"],
  ["warn", "warned"],
  ["pass", "passed"],
  ["skip", "skipped"],
] as const;

/** The statuses that there are, the worst first. */
const told = (counts: { readonly [status: string]: number }): string =>
  statusWords.flatMap(([status, word]) => (counts[status] ? [`${counts[status]} ${word}`] : [])).join(", ");

/** Of judging one object. */
function costText({ cost }: PolicyRow): string {
  if (cost === undefined) return "-";
  return cost.microseconds < 1000 ? `${cost.microseconds} µs` : `${(cost.microseconds / 1000).toFixed(1)} ms`;
}

function PolicyTable({ items }: { readonly items: readonly PolicyRow[] }) {
  const mayPromote = mayAct(useUser(), "policy-admin") && items.some(isRolledOut);
  const areSeveral = useSeveralClusters();
  if (items.length === 0)
    return <Text>No policies are loaded: start the server with --policies, or apply some to the cluster.</Text>;
  return (
    <Table.ScrollContainer minWidth={960}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Policy</Table.Th>
            <Table.Th w={110}>Mode</Table.Th>
            <Table.Th>Rules</Table.Th>
            <Table.Th>From</Table.Th>
            <Table.Th w={130}>At admission</Table.Th>
            <Table.Th w={110}>Findings</Table.Th>
            <Table.Th w={80}>Cost</Table.Th>
            {mayPromote && (
              <Table.Th w={100}>
                <VisuallyHidden>Rollout</VisuallyHidden>
              </Table.Th>
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((row) => (
            <Table.Tr key={`${row.cluster} ${row.name}`}>
              <Table.Td style={{ wordBreak: "break-word" }}>
                <Anchor component={Link} href={`/findings${query({ policy: row.name, cluster: row.cluster })}`}>
                  {row.title || row.name}
                </Anchor>
                <Text size="xs" c="dimmed">
                  {areSeveral ? `${row.cluster} ${row.name}` : row.name}
                </Text>
              </Table.Td>
              <Table.Td>
                <Badge color={row.broken ? "#c92a2a" : modeColours[row.mode]} variant="light" radius="sm">
                  {row.broken ? "broken" : row.mode}
                </Badge>
              </Table.Td>
              <Table.Td>{row.rules.join(", ")}</Table.Td>
              <Table.Td style={{ wordBreak: "break-word" }}>{row.origin}</Table.Td>
              <Table.Td>{row.admitted === undefined ? "-" : told(row.admitted)}</Table.Td>
              <Table.Td>{told(row.findings) || "none"}</Table.Td>
              <Table.Td>{costText(row)}</Table.Td>
              {mayPromote && <Table.Td>{isRolledOut(row) && <PolicyRollout row={row} />}</Table.Td>}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
