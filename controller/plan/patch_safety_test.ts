import assert from "node:assert/strict";
import type { Service } from "../cluster_state.ts";
import type { PlanOptions } from "./plan_options.ts";
import {
  hasRegexPaths,
  rewriteAnnotation,
  unsafeAnnotation,
  unsafeService,
} from "./patch_safety.ts";

const options: PlanOptions = {
  allowExternalName: false,
  allowedFacilitatorHosts: [],
  clusterDomain: "cluster.local",
};

const annotated = (name: string, value: string) => ({
  metadata: { namespace: "shop", name: "api", annotations: { [name]: value } },
});

const unsafe = [
  ["nginx.ingress.kubernetes.io/backend-protocol", "GRPC"],
  ["nginx.ingress.kubernetes.io/backend-protocol", "grpcs"],
  ["nginx.ingress.kubernetes.io/backend-protocol", "HTTPS"],
  ["nginx.ingress.kubernetes.io/backend-protocol", "AUTO_HTTP"],
  ["nginx.ingress.kubernetes.io/backend-protocol", "FCGI"],
  ["nginx.ingress.kubernetes.io/ssl-passthrough", "true"],
  ["nginx.ingress.kubernetes.io/upstream-vhost", "api.internal"],
  ["nginx.org/grpc-services", "api"],
  ["nginx.org/ssl-services", "api"],
  ["haproxy.org/server-proto", "h2"],
  ["haproxy.org/server-ssl", "true"],
  ["haproxy.org/ssl-passthrough", "true"],
  ["haproxy.org/set-host", "api.internal"],
  ["haproxy-ingress.github.io/backend-protocol", "h2-ssl"],
  ["haproxy-ingress.github.io/ssl-passthrough", "1"],
  ["alb.ingress.kubernetes.io/backend-protocol", "HTTPS"],
  ["alb.ingress.kubernetes.io/backend-protocol-version", "GRPC"],
  ["appgw.ingress.kubernetes.io/backend-protocol", "https"],
  ["konghq.com/preserve-host", "false"],
  ["traefik.ingress.kubernetes.io/service.serversscheme", "h2c"],
  ["konghq.com/protocol", "grpc"],
  ["projectcontour.io/upstream-protocol.tls", "443"],
  ["projectcontour.io/upstream-protocol.h2", "443"],
  ["projectcontour.io/upstream-protocol.h2c", "80"],
  ["nginx.ingress.kubernetes.io/server-alias", "www.example.com"],
  ["haproxy-ingress.github.io/server-alias", "www.example.com"],
  ["haproxy-ingress.github.io/server-alias-regex", ".*"],
  ["konghq.com/host-aliases", "www.example.com"],
] as const;

const harmless = [
  ["nginx.ingress.kubernetes.io/backend-protocol", "HTTP"],
  ["nginx.ingress.kubernetes.io/backend-protocol", " http "],
  ["nginx.ingress.kubernetes.io/backend-protocol", ""],
  ["nginx.ingress.kubernetes.io/ssl-passthrough", "false"],
  ["haproxy-ingress.github.io/backend-protocol", "h1"],
  ["alb.ingress.kubernetes.io/backend-protocol-version", "HTTP1"],
  ["haproxy.org/server-ssl", "false"],
  ["konghq.com/preserve-host", "true"],
  ["nginx.ingress.kubernetes.io/ssl-redirect", "true"],
  ["nginx.ingress.kubernetes.io/server-alias", ""],
  ["constructor", "GRPC"],
  ["hasOwnProperty", "GRPC"],
] as const;

for (const [name, value] of unsafe) {
  Deno.test(`${name}: ${value} is no way for the gateway`, () => {
    assert.ok(
      unsafeAnnotation(annotated(name, value))?.startsWith(`${name}: ${value}; the gateway `),
    );
  });
}

for (const [name, value] of harmless) {
  Deno.test(`${name}: ${JSON.stringify(value)} is harmless`, () => {
    assert.equal(unsafeAnnotation(annotated(name, value)), undefined);
  });
}

const regexes = [
  ["nginx.ingress.kubernetes.io/use-regex", "true", "false"],
  ["nginx.org/path-regex", "case_insensitive", ""],
  ["haproxy-ingress.github.io/path-type", "regex", "begin"],
  ["traefik.ingress.kubernetes.io/router.pathmatcher", "PathRegexp", "Path"],
] as const;

for (const [name, value, other] of regexes) {
  Deno.test(`${name}: ${value} makes paths regular expressions`, () => {
    assert.ok(hasRegexPaths(annotated(name, value)));
    assert.ok(!hasRegexPaths(annotated(name, other)));
  });
}

const rewrites = [
  "nginx.ingress.kubernetes.io/rewrite-target",
  "nginx.org/rewrites",
  "haproxy.org/path-rewrite",
  "haproxy-ingress.github.io/rewrite-target",
  "konghq.com/rewrite",
  "appgw.ingress.kubernetes.io/backend-path-prefix",
];

for (const name of rewrites) {
  Deno.test(`${name} rewrites paths`, () => {
    assert.equal(rewriteAnnotation(annotated(name, "/")), name);
  });
}

Deno.test("konghq.com/strip-path rewrites paths unless it is false", () => {
  assert.equal(
    rewriteAnnotation(annotated("konghq.com/strip-path", "true")),
    "konghq.com/strip-path",
  );
  assert.equal(rewriteAnnotation(annotated("konghq.com/strip-path", "false")), undefined);
});

const service = (spec: Service["spec"]): Service => ({
  apiVersion: "v1",
  metadata: { namespace: "shop", name: "api" },
  spec,
});

Deno.test("the appProtocol counts at the port that is named, by name or by number", () => {
  const { spec } = service({
    ports: [{ name: "grpc", port: 81, appProtocol: "grpc" }, { name: "web", port: 80 }],
  });
  assert.equal(unsafeService(service(spec), "web", options), undefined);
  assert.equal(unsafeService(service(spec), 80, options), undefined);
  for (const port of ["grpc", 81]) {
    assert.match(unsafeService(service(spec), port, options)!, /appProtocol grpc/);
  }
});

for (const appProtocol of ["http", "HTTP", "kubernetes.io/ws", "ws", "tcp", ""]) {
  Deno.test(`appProtocol ${JSON.stringify(appProtocol)} is harmless`, () => {
    const { spec } = service({ ports: [{ port: 80, appProtocol }] });
    assert.equal(unsafeService(service(spec), 80, options), undefined);
  });
}

for (const appProtocol of ["https", "kubernetes.io/h2c", "kubernetes.io/wss", "grpc", "mysql"]) {
  Deno.test(`appProtocol ${appProtocol} is no way for the gateway`, () => {
    const { spec } = service({ ports: [{ port: 80, appProtocol }] });
    assert.ok(unsafeService(service(spec), 80, options)?.includes(appProtocol));
  });
}

Deno.test("a Service of type ExternalName is safe only where it is allowed", () => {
  const external = service({ type: "ExternalName", externalName: "api.example.com" });
  assert.match(unsafeService(external, 80, options)!, /ExternalName/);
  assert.equal(unsafeService(external, 80, { ...options, allowExternalName: true }), undefined);
});
