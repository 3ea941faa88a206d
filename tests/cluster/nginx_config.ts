import type { Hosts, Location } from "./ingress_locations.ts";

/**
 * nginx.conf for the hosts. All files are in `folder`; the log goes to standard error, where a
 * reload and its end can be seen.
 */
export function nginxConfig(hosts: Hosts, port: number, folder: string): string {
  const upstreams = new Map<string, string>();
  const servers = [...new Map([["_", []], ...hosts])]
    .map(([host, locations]) => server(host, locations, port, upstreams));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`);
  return `
daemon off;
${Deno.uid() === 0 ? "user root;" : ""}
pid ${folder}/nginx.pid;
error_log stderr notice;
worker_processes 1;
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.join("\n  ")}
  server_names_hash_bucket_size 256;
  server_names_hash_max_size 8192;
  client_max_body_size 0;
  map $http_upgrade $connection_header { default upgrade; "" ""; }
  proxy_http_version 1.1;
  proxy_buffering off;
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_header;
${[...upstreams].map(([endpoints, name]) => upstream(name, endpoints)).join("")}
${servers.join("")}
}
`;
}

function upstream(name: string, endpoints: string): string {
  const lines = endpoints.split(" ").map((endpoint) => `server ${endpoint} max_fails=0;`);
  return `  upstream ${name} { ${lines.join(" ")} keepalive 32; }\n`;
}

/** Registers the upstreams that it needs, by their endpoints. */
function server(
  host: string,
  locations: readonly Location[],
  port: number,
  upstreams: Map<string, string>,
): string {
  const listen = `listen 127.0.0.1:${port}${host === "_" ? " default_server" : ""};`;
  // nginx takes the longest prefix by itself, but the first regular expression.
  const blocks = locations.toSorted((a, b) => b.path.length - a.path.length).map((location) => {
    const endpoints = location.endpoints.join(" ");
    if (endpoints === "") return `    ${matcher(location)} { return 503; }\n`;
    const name = upstreams.get(endpoints) ?? `upstream_${upstreams.size}`;
    upstreams.set(endpoints, name);
    return `    ${matcher(location)} { ${rewrite(location)}proxy_pass http://${name}; }\n`;
  });
  const root = locations.some(({ type, path }) => type === "prefix" && path === "/");
  if (!root) blocks.push("    location / { return 404; }\n");
  return `  server {\n    ${listen}\n    server_name ${host};\n${blocks.join("")}  }\n`;
}

function matcher({ type, path }: Location): string {
  if (type === "exact") return `location = ${quoted(path)}`;
  // A regular expression is preferred to a prefix that does not say `^~`.
  return type === "prefix" ? `location ${quoted(path)}` : `location ~* ${quoted(`^${path}`)}`;
}

function rewrite({ type, path, rewrite }: Location): string {
  if (rewrite === undefined) return "";
  const pattern = type === "regex" ? `(?i)^${path}` : `^${RegExp.escape(path)}`;
  return `rewrite ${quoted(pattern)} ${quoted(rewrite)} break; `;
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
