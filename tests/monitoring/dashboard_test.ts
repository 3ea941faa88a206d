/** The dashboard as Grafana draws it. */
import assert from "node:assert/strict";
import { metricCatalogue } from "../../store/metric_catalogue.ts";
import { dashboard } from "./chart_expressions.ts";

Deno.test("every panel has a title, a unit, and queries with a legend", async () => {
  const { panels } = await dashboard();
  for (const { type, title, fieldConfig, targets = [] } of panels) {
    assert.ok(title);
    if (type === "row") continue;
    assert.ok(fieldConfig?.defaults.unit, title);
    assert.ok(targets.length > 0, title);
    for (const { expr, legendFormat } of targets) assert.ok(expr && legendFormat, title);
  }
  const titles = panels.map(({ title }) => title);
  assert.equal(new Set(titles).size, titles.length);
});

Deno.test("no panel covers another", async () => {
  const taken = new Set<string>();
  for (const { title, gridPos: { x, y, w, h } } of (await dashboard()).panels) {
    assert.ok(x + w <= 24, title);
    for (let i = 0; i < w * h; i++) {
      const place = `${x + i % w} ${y + Math.floor(i / w)}`;
      assert.ok(!taken.has(place), title);
      taken.add(place);
    }
  }
});

Deno.test("expressions name no variable that is not there", async () => {
  const { templating, panels } = await dashboard();
  const known = new Set([
    ...templating.list.map(({ name }) => name),
    ...["__rate_interval", "__range"],
  ]);
  const text = JSON.stringify(panels) + JSON.stringify(templating);
  const used = [...text.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name!);
  assert.deepEqual(used.filter((name) => !known.has(name) && name !== "__all"), []);
});

Deno.test("every metric is in a panel or is another name for one that is", async () => {
  const { panels } = await dashboard();
  const text = JSON.stringify(panels);
  const missing = Object.keys(metricCatalogue).filter((name) => !text.includes(name));
  assert.deepEqual(missing, ["process_start_time_seconds"]);
});
