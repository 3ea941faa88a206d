import { join } from "node:path";
import { freePorts } from "../cluster/free_port.ts";
import { ChildProcess } from "../rig/child_process.ts";
import type { BenchServer } from "./bench_server.ts";

/** Of the reply to `/docs/1g`. */
export const gigabyte = 2 ** 30;

/** More than a run makes: a connection that is closed in between would be measured too. */
const endless = 1_000_000_000;

/** The backend of all proxies: replies of 1 KB, and of other sizes below `/docs`. */
export async function startNginxBackend(program: string): Promise<BenchServer & AsyncDisposable> {
  return await startNginx(program, async (folder) => {
    await Deno.mkdir(join(folder, "docs"));
    await Deno.writeTextFile(join(folder, "docs", "100k"), "x".repeat(100 * 1024));
    // A hole as large as it has to be: nothing is written to the disk.
    await using file = await Deno.create(join(folder, "docs", "1g"));
    await file.truncate(gigabyte);
    return `
  server {
    listen 127.0.0.1:PORT backlog=1024;
    default_type text/plain;
    root ${folder};
    open_file_cache max=10;
    location / { return 200 "${"x".repeat(1024)}"; }
    location = /docs/0 { return 200 ""; }
    location = /docs/100k { }
    location = /docs/1g { }
  }`;
  });
}

/** nginx as a reverse proxy on two cores: idle connections kept, and a buffer for any reply. */
export function startNginxProxy(
  program: string,
  api: BenchServer,
  streams: BenchServer,
): Promise<BenchServer & AsyncDisposable> {
  const upstream = (name: string, { port }: BenchServer) =>
    `upstream ${name} { server 127.0.0.1:${port}; keepalive 512; keepalive_requests ${endless}; }`;
  return startNginx(program, () =>
    Promise.resolve(`
  ${upstream("api", api)}
  ${upstream("streams", streams)}
  proxy_http_version 1.1;
  proxy_max_temp_file_size 0;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Proto $scheme;
  server {
    listen 127.0.0.1:PORT backlog=1024;
    location / { proxy_pass http://api; }
    location /streams/ { proxy_buffering off; proxy_pass http://streams; }
  }`));
}

/** Two workers that listen on a free port, which stands for `PORT` in what `configure` returns. */
async function startNginx(
  program: string,
  configure: (folder: string) => Promise<string>,
): Promise<BenchServer & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "x402_bench_" });
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const [port] = freePorts(1) as [number];
  const servers = (await configure(folder)).replace("PORT", String(port));
  await Deno.writeTextFile(join(folder, "nginx.conf"), configuration(folder, servers));
  const command = [program, "-c", join(folder, "nginx.conf"), "-e", "stderr"];
  const child = started.use(new ChildProcess("nginx", command));
  await child.find((line) => line.includes("start worker process ") || undefined);
  const running = started.move();
  return { pid: child.pid, port, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function configuration(folder: string, servers: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`);
  return `
daemon off;
${Deno.uid() === 0 ? "user root;" : ""}
pid ${folder}/nginx.pid;
error_log stderr notice;
worker_processes 2;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests ${endless};
  ${temporary.join("\n  ")}
${servers}
}
`;
}
