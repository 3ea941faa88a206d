/**
 * The command line: `x402-k8s-operator COMMAND`. Exit codes: 0 success, 1 failure, 2 wrong usage.
 * The gateway starts this very program again for each of its workers.
 */
if ("WorkerGlobalScope" in globalThis) {
  // Messages wait until this has ended: the runtime asks for them after the main module.
  const { runGatewayWorker } = await import("./commands/gateway_worker.ts");
  runGatewayWorker();
} else {
  const { runCommandLine } = await import("./commands/command_line.ts");
  await runCommandLine(Deno.args);
}
