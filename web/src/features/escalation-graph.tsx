import { Anchor, Text } from "@mantine/core";
import { Link } from "wouter";
import { type EscalationPath, type EscalationTree, escalationTrees, type PlaceNode } from "./escalation-tree.ts";

interface GraphProps {
  readonly paths: readonly EscalationPath[];
  /** Whether trees need to say of which cluster they are. */
  readonly areSeveral: boolean;
  /** Where the ways of one subject are shown alone. */
  readonly hrefOf: (subject: string) => string;
}

/** Ways drawn from who takes them, on the left, by what they do, to what they reach, on the right. */
export function EscalationGraph({ paths, areSeveral, hrefOf }: GraphProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard.
    <section className="ways" tabIndex={0} aria-label="Ways, drawn">
      {escalationTrees(paths).map((tree) => (
        <Tree key={`${tree.cluster} ${tree.target.name}`} tree={tree} areSeveral={areSeveral} hrefOf={hrefOf} />
      ))}
    </section>
  );
}

function Tree({ tree: { cluster, target }, areSeveral, hrefOf }: Omit<GraphProps, "paths"> & { readonly tree: EscalationTree }) {
  return (
    <div className="ways-branch">
      <Reached place={target} hrefOf={hrefOf} />
      <div className="ways-box ways-target">
        {target.name}
        {areSeveral && <Text size="xs">in {cluster}</Text>}
      </div>
    </div>
  );
}

interface PlaceProps {
  readonly place: PlaceNode;
  readonly hrefOf: GraphProps["hrefOf"];
}

/** The steps that end at a place, each behind those who take it. */
function Reached({ place, hrefOf }: PlaceProps) {
  if (place.steps.length === 0) return null;
  return (
    <ul className="ways-sources" aria-label={`Ways to ${place.name}`}>
      {place.steps.map(({ says, from }) => (
        <li key={says}>
          <div className="ways-branch">
            <ul className="ways-sources" aria-label={`Who ${says}`}>
              {from.map((one) => (
                <li key={one.name}>
                  <Place place={one} hrefOf={hrefOf} />
                </li>
              ))}
            </ul>
            <div className="ways-box ways-step">{says}</div>
          </div>
        </li>
      ))}
    </ul>
  );
}

function Place({ place, hrefOf }: PlaceProps) {
  return (
    <div className="ways-branch">
      <Reached place={place} hrefOf={hrefOf} />
      <div className="ways-box ways-place">
        {place.isStart ? (
          <Anchor component={Link} href={hrefOf(place.name)} size="sm" inherit>
            {place.name}
          </Anchor>
        ) : (
          place.name
        )}
      </div>
    </div>
  );
}
