import { Anchor, Table, Text } from "@mantine/core";
import { Link } from "wouter";
import { count } from "../../../src/report/text.ts";
import { type Answer, type query, shortPolicy, useAnswer } from "../api.ts";
import { SeverityBar } from "../components/severity-bar.tsx";
import { Answer as Shown, worstFirst } from "../components/state.tsx";

/** What findings can have in common. */
export const groupings = [
  { value: "policy", label: "policy" },
  { value: "namespace", label: "namespace" },
  { value: "team", label: "team" },
  { value: "severity", label: "severity" },
] as const;
export type Grouping = (typeof groupings)[number]["value"];

type Group = Answer<"/api/v1/findings/groups">["items"][number];

interface GroupTableProps {
  readonly by: Grouping;
  readonly filter: NonNullable<Parameters<typeof query>[0]>;
  /** Where the findings of one group are listed. */
  readonly hrefOf: (by: Grouping, name: string) => string;
}

/** The findings that the filters leave, counted by what they have in common. */
export function GroupTable({ by, filter, hrefOf }: GroupTableProps) {
  const state = useAnswer("/api/v1/findings/groups", { query: { ...filter, by } });
  return <Shown state={state}>{({ items }) => <Rows by={by} groups={items} hrefOf={hrefOf} />}</Shown>;
}

const failuresOf = ({ counts }: Group): number => worstFirst.reduce((sum, severity) => sum + counts[severity], 0);

function Rows({ by, groups, hrefOf }: Pick<GroupTableProps, "by" | "hrefOf"> & { readonly groups: readonly Group[] }) {
  if (groups.length === 0) return <Text>Nothing to see: no finding matches.</Text>;
  const most = Math.max(1, ...groups.map(failuresOf));
  return (
    <>
      <Text c="dimmed" size="sm" aria-live="polite">
        {count(
          groups.reduce((sum, { total }) => sum + total, 0),
          "finding",
        )}{" "}
        in {count(groups.length, "group")}
      </Text>
      <Table.ScrollContainer minWidth={640}>
        <Table highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{by}</Table.Th>
              <Table.Th w={220}>failures by severity</Table.Th>
              <Table.Th w={80}>failures</Table.Th>
              <Table.Th w={80}>warnings</Table.Th>
              <Table.Th w={110}>not checked</Table.Th>
              <Table.Th w={80}>findings</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {groups.map((group) => (
              <Table.Tr key={group.name}>
                <Table.Td style={{ wordBreak: "break-word" }}>
                  <Anchor component={Link} href={hrefOf(by, group.name)} size="sm">
                    {groupTitle(by, group.name)}
                  </Anchor>
                </Table.Td>
                <Table.Td>
                  <SeverityBar counts={group.counts} most={most} />
                </Table.Td>
                <Table.Td>{failuresOf(group)}</Table.Td>
                <Table.Td>{group.warnings}</Table.Td>
                <Table.Td>{group.errors}</Table.Td>
                <Table.Td>{group.total}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}

function groupTitle(by: Grouping, name: string): string {
  if (name === "") return by === "team" ? "(no team)" : "(cluster-wide)";
  return by === "policy" ? shortPolicy(name) : name;
}
