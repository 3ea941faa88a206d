/**
 * A candidate in a process of its own, which a test can suspend: says every few ms whether it thinks
 * that it leads. Arguments: the cluster's access (JSON), namespace, identity.
 */
import { KubeClient } from "../../controller/cluster/kube_client.ts";
import { connectionOf } from "./admin_client.ts";
import { Candidate, short } from "./candidate.ts";

const [access, namespace, identity] = Deno.args as [string, string, string];
const client = new KubeClient(connectionOf(JSON.parse(access)), "test/1");
const candidate = new Candidate(client, namespace, identity, short);
const encoder = new TextEncoder();
setInterval(() => {
  const line = { time: Date.now(), leads: candidate.election.isLeader() };
  Deno.stdout.writeSync(encoder.encode(`${JSON.stringify(line)}\n`));
}, 5);
