import { Command } from "commander";
import {
  KubeClient,
  type KubeConnection,
  OperatorLoop,
  type OperatorSettings,
} from "../controller/mod.ts";
import { version } from "../version.ts";
import { addClusterFlags, type ClusterFlags, operatorName } from "./cluster_flags.ts";
import { booleanText, duration } from "./flag_values.ts";
import { addGatewayFlags, flag, type GatewayFlags, parsed } from "./gateway_flags.ts";
import { limitsBehindProxies } from "./limit_flags.ts";
import { operatorReporter } from "./operator_report.ts";
import { planOptions } from "./plan_options.ts";
import { serve } from "./serve.ts";
import { connectionOf, exitWith } from "./usage_error.ts";

interface RunFlags extends GatewayFlags, ClusterFlags {
  readonly leaderElect: boolean;
  readonly leaseDuration: number;
  readonly renewDeadline: number;
  readonly retryPeriod: number;
  readonly drainRoutes: number;
}

/** `run`: the operator in a cluster, controller and gateway in one. */
export function runCommand(): Command {
  const command = new Command("run")
    .addOption(
      flag("--leader-elect [true|false]", "write to the cluster only as the leader of all replicas")
        .preset("true").argParser(booleanText).default(true),
    )
    .addOption(parsed("--lease-duration <time>", "until others take over", duration, "15s"))
    .addOption(parsed("--renew-deadline <time>", "until the leader gives up", duration, "10s"))
    .addOption(parsed("--retry-period <time>", "between two renewals", duration, "2s"))
    .addOption(
      parsed("--drain-routes <time>", "that removed paths are served on", duration, "30s"),
    );
  // Proxies send to a pod for seconds after it was told to end.
  return addGatewayFlags(addClusterFlags(command), "5s").action(runOperator);
}

async function runOperator(given: RunFlags, command: Command): Promise<void> {
  const flags = limitsBehindProxies(given, given.trustedProxies);
  const connection = await connectionOf(flags).catch(exitWith);
  if (
    flags.leaseDuration <= flags.renewDeadline || flags.renewDeadline <= 1.2 * flags.retryPeriod
  ) {
    command.error(
      "error: --lease-duration has to be longer than --renew-deadline, and that longer than 1.2 " +
        "times --retry-period",
    );
  }
  await serve(flags, async ({ gateway, facilitators, metrics, log, terminating, signal }) => {
    const client = new KubeClient(
      connection,
      `${operatorName}/${version}`,
      ({ verb, resource, status }) =>
        metrics.cluster.kubeRequests.inc({ verb, resource, code: String(status) }),
    );
    const loop = new OperatorLoop({
      client,
      settings: settingsOf(flags, connection),
      facilitators,
      publish: (snapshot) => gateway.publish(snapshot),
      report: operatorReporter(log, metrics),
      terminating,
      signal,
    });
    // Who is alone leads without an election.
    if (!flags.leaderElect) metrics.cluster.leader.set(1);
    metrics.cluster.staleness = () => loop.stalenessSeconds;
    await loop.run();
    client.close();
  });
}

function settingsOf(flags: RunFlags, connection: KubeConnection): OperatorSettings {
  const namespace = flags.operatorNamespace ?? connection.namespace;
  return {
    plan: planOptions(flags, namespace),
    watchNamespaces: flags.watchNamespaces,
    drainRoutesMs: flags.drainRoutes,
    // A pod keeps its name when its container starts anew, and is somebody else then.
    identity: `${Deno.env.get("HOSTNAME") ?? operatorName}_${crypto.randomUUID()}`,
    ...(flags.leaderElect && {
      election: {
        namespace,
        leaseName: operatorName,
        leaseMs: flags.leaseDuration,
        renewMs: flags.renewDeadline,
        retryMs: flags.retryPeriod,
      },
    }),
  };
}
