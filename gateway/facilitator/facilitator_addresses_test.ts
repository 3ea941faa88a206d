import assert from "node:assert/strict";
import { Logger } from "../../store/log.ts";
import { withProxyEnvironment } from "../../tests/support/proxy_environment.ts";
import { FacilitatorAddresses } from "./facilitator_addresses.ts";

const hosts = {
  allowedFacilitatorHosts: ["intern.example.com", "other.example.com:8443"],
  clusterDomain: "cluster.local",
};

/** Whoever runs the tests may be behind a proxy. */
function test(name: string, run: () => Promise<void>): void {
  Deno.test(name, () => withProxyEnvironment({}, run));
}

const refused = { code: "facilitator_refused" };

/** Answers the questions for a name with these addresses, one answer after the other. */
function setUp(answers: (string[] | Error)[], lifetimeMs?: number) {
  const questions: string[] = [];
  const log: Record<string, unknown>[] = [];
  const resolve = (name: string) => {
    questions.push(name);
    const answer = answers.shift()!;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const logger = new Logger("info", (line) => log.push(JSON.parse(line)));
  const addresses = new FacilitatorAddresses(hosts, logger, resolve, lifetimeMs);
  return { questions, log, check: (url: string) => addresses.check(url) };
}

test("a name is refused when one of its addresses is not public", async () => {
  for (const address of ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00:ec2::254"]) {
    const { check } = setUp([["8.8.8.8", address]]);
    await assert.rejects(check("https://pay.example.com/verify"), refused, address);
  }
  const { check, questions } = setUp([["8.8.8.8", "2606:4700::1111"]]);
  await check("https://pay.example.com./verify");
  assert.deepEqual(questions, ["pay.example.com."], "the very name that fetch resolves");
});

test("names of the cluster, allowed hosts and addresses are not resolved", async () => {
  const { check, questions } = setUp([["10.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]]);
  for (
    const url of [
      "http://pay.shop.svc/verify",
      "http://pay.shop.svc.cluster.local/verify",
      "http://pay:9402/verify",
      "http://intern.example.com:9402/verify",
      "https://other.example.com:8443/verify",
      "http://127.0.0.1:9402/verify",
      "http://[::1]:9402/verify",
    ]
  ) await check(url);
  assert.deepEqual(questions, []);
  await assert.rejects(check("https://other.example.com/verify"), refused, "another port");
  await assert.rejects(check("https://pay.svc.example.com/verify"), refused);
  await assert.rejects(check("https://localhost/verify"), refused);
});

test("a name that a proxy resolves is not resolved here", async () => {
  const { check, questions } = setUp([["10.0.0.1"]]);
  const env = { HTTPS_PROXY: "http://127.0.0.1:3128" };
  await withProxyEnvironment(env, () => check("https://pay.example.com/verify"));
  assert.deepEqual(questions, []);
});

test("a name is resolved once for many requests, and logged as often", async () => {
  const { check, questions, log } = setUp([["10.0.0.1"], ["8.8.8.8"]]);
  const url = "https://pay.example.com/verify";
  const atOnce = await Promise.allSettled(Array.from({ length: 20 }, () => check(url)));
  assert.ok(atOnce.every(({ status }) => status === "rejected"));
  await assert.rejects(check(url), refused);
  assert.deepEqual(questions, ["pay.example.com"]);
  assert.equal(log.length, 1);
  assert.deepEqual(log[0]!.addresses, ["10.0.0.1"]);
  await check("https://another.example.com/verify");
});

test("rebinding: an answer is not believed for longer than its time", async () => {
  const { check } = setUp([["8.8.8.8"], ["10.0.0.1"], ["8.8.8.8"]], 0);
  const url = "https://pay.example.com/verify";
  await check(url);
  await assert.rejects(check(url), refused);
  await check(url);
});

test("a name that cannot be resolved is left to fetch, and asked for again", async () => {
  const { check } = setUp([new Error("ENOTFOUND"), ["10.0.0.1"]]);
  const url = "https://pay.example.com/verify";
  await check(url);
  await assert.rejects(check(url), refused);
});
