import assert from "node:assert/strict";
import { endpointAddress } from "./endpoint_address.ts";
import { IngressProxy } from "./ingress_proxy.ts";
import type { KubeAdmin } from "./kube_admin.ts";
import { proxyTest } from "./test_proxy.ts";

/** A server that answers with its name and the target that it was asked for. */
function startEcho(name: string) {
  const listen = { hostname: endpointAddress, port: 0, onListen() {} };
  return Deno.serve(listen, (request) => {
    const { pathname, search } = new URL(request.url);
    return new Response(`${name} ${pathname}${search}`);
  });
}

/** A Service with a named port 80, and the EndpointSlice of its one endpoint. */
async function applyService(admin: KubeAdmin, namespace: string, name: string, port: number) {
  await admin.apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name },
    spec: { ports: [{ name: "http", port: 80 }] },
  });
  await admin.apply({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace, name, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    endpoints: [
      { addresses: [endpointAddress], conditions: { ready: true } },
      { addresses: ["198.51.100.2"], conditions: { ready: false } },
    ],
    ports: [{ name: "metrics", port: 1 }, { name: "http", port }],
  });
}

type Path = [pathType: string, path: string, service: string, port?: object];

async function applyIngress(
  admin: KubeAdmin,
  name: { readonly namespace: string; readonly name: string },
  host: string,
  paths: Path[],
  { annotations = {}, ...spec }: { annotations?: Record<string, string>; defaultBackend?: object } =
    {},
) {
  await admin.apply({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { ...name, annotations },
    spec: {
      ...spec,
      rules: [{
        host,
        http: {
          paths: paths.map(([pathType, path, service, port = { number: 80 }]) => ({
            pathType,
            path,
            backend: { service: { name: service, port } },
          })),
        },
      }],
    },
  });
}

/** The body of a 200, else the status. */
async function ask(proxy: IngressProxy, url: string): Promise<string | number> {
  const reply = await proxy.fetch(`http://${url}`);
  const body = await reply.text();
  return reply.status === 200 ? body : reply.status;
}

const rewriteTarget = "nginx.ingress.kubernetes.io/rewrite-target";

const answers: [url: string, answer: string | number][] = [
  ["a.example/", "one /"],
  ["a.example/other?q=1", "one /other?q=1"],
  ["a.example/exact", "two /exact"],
  ["a.example/exact/", "one /exact/"],
  ["a.example/prefix", "two /prefix"],
  ["a.example/prefix/below", "two /prefix/below"],
  ["a.example/prefixed", "one /prefixed"],
  ["a.example/prefix/deep", "one /prefix/deep"],
  // nginx decides by the decoded path, in which it has resolved the "..", and sends the raw one.
  ["a.example/prefix/deep%2F..", "two /prefix/deep%2F.."],
  ["a.example/nobody", 503],
  ["a.example/elsewhere", "two /elsewhere"],
  ["b.example/v1/x", "two /x"],
  ["b.example/V1/x", "two /x"],
  ["b.example/v2/x", "one /v2/x"],
  ["c.example/only", "one /only"],
  ["c.example/", 404],
  ["nobody.example/", 404],
];

async function applyAll(admin: KubeAdmin, namespace: string): Promise<void> {
  await applyIngress(admin, { namespace, name: "a" }, "a.example", [
    ["Prefix", "/", "one"],
    ["Exact", "/exact", "two"],
    ["Prefix", "/prefix/", "two", { name: "http" }],
    ["Prefix", "/prefix/deep", "one"],
    ["Prefix", "/nobody", "missing"],
    ["ImplementationSpecific", "/elsewhere", "elsewhere"],
  ]);
  await applyIngress(
    admin,
    { namespace, name: "b" },
    "b.example",
    [["ImplementationSpecific", "/v[1](/|$)(.*)", "two"]],
    {
      annotations: { [rewriteTarget]: "/$2" },
      defaultBackend: { service: { name: "one", port: { name: "http" } } },
    },
  );
  await applyIngress(admin, { namespace, name: "c" }, "c.example", [["Exact", "/only", "one"]]);
}

proxyTest("requests go where Ingresses, Services and EndpointSlices say", async (cluster) => {
  const { admin } = cluster;
  const namespace = await cluster.createNamespace();
  await using one = startEcho("one"), two = startEcho("two");
  await applyService(admin, namespace, "one", one.addr.port);
  await applyService(admin, namespace, "two", two.addr.port);
  await admin.apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name: "elsewhere" },
    spec: { type: "ExternalName", externalName: "two.example" },
  });
  await applyAll(admin, namespace);
  await using proxy = await IngressProxy.start(admin, {
    "two.example": `${endpointAddress}:${two.addr.port}`,
  });
  for (const [url, answer] of answers) {
    assert.equal(await ask(proxy, url), answer, url);
  }
  assert.equal(proxy.reloads.length, 0);
});

proxyTest("a changed Ingress is served once it is rendered, after one reload", async (cluster) => {
  const { admin } = cluster;
  const namespace = await cluster.createNamespace();
  await using one = startEcho("one"), two = startEcho("two");
  await applyService(admin, namespace, "one", one.addr.port);
  await applyService(admin, namespace, "two", two.addr.port);
  const ingress = { namespace, name: "a" };
  await applyIngress(admin, ingress, "change.example", [["Prefix", "/", "one"]]);
  await using proxy = await IngressProxy.start(admin);
  assert.equal(await ask(proxy, "change.example/"), "one /");

  await applyIngress(admin, ingress, "change.example", [["Prefix", "/", "two"]]);
  const { metadata } = await admin.get("Ingress", ingress);
  await proxy.waitUntilRendered(({ ingresses }) =>
    ingresses.some((it) => it.metadata.resourceVersion === metadata.resourceVersion)
  );
  assert.equal(await ask(proxy, "change.example/"), "two /");
  assert.equal(proxy.reloads.length, 1);
});

proxyTest("what nginx refuses is an error, not an endless wait", async (cluster) => {
  const { admin } = cluster;
  const namespace = await cluster.createNamespace();
  await using proxy = await IngressProxy.start(admin);
  await applyIngress(
    admin,
    { namespace, name: "broken" },
    "broken.example",
    [["ImplementationSpecific", "/(", "one"]],
    { annotations: { [rewriteTarget]: "/" } },
  );
  const rendered = proxy.waitUntilRendered(({ ingresses }) =>
    ingresses.some(({ metadata }) => metadata.name === "broken")
  );
  await assert.rejects(rendered, /emerg.*pcre2_compile/);
});
