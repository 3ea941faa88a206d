/**
 * The command line: `x402-k8s-operator COMMAND`. Exit codes: 0 success, 1 failure, 2 wrong usage.
 * The gateway starts this very program again for each of its workers.
 */
import { runCommandLine } from "./commands/command_line.ts";
import { isGatewayWorker, runGatewayWorker } from "./commands/gateway_worker.ts";

if (isGatewayWorker()) runGatewayWorker();
else await runCommandLine(Deno.args);
