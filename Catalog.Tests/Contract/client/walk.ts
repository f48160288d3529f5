import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const { CATALOG_URL, CATALOG_KEY } = process.env;
assert(CATALOG_URL && CATALOG_KEY, "CATALOG_URL and CATALOG_KEY must be set.");

const catalog = createClient<paths>({ baseUrl: CATALOG_URL, headers: { "X-API-KEY": CATALOG_KEY } });

/** Returns the body of an answer; fails if the status is not the expected one. */
function body<T>(status: number, answer: { data?: T; error?: unknown; response: Response }): T {
    assert.equal(answer.response.status, status, JSON.stringify(answer.error));
    assert(answer.data !== undefined);
    return answer.data;
}

const pipeline = "daily_orders";
const run = "daily_orders/2026-01-31";
const dataset = "mart/orders";

const registered = body(201, await catalog.POST("/api/v1/pipelines", {
    body: {
        name: pipeline,
        version: "1",
        owner: "sales-data",
        schedule: "0 6 * * *",
        tags: ["orders"],
        sources: [{ id: "shop", type: "postgres", connection_ref: "shop-db", object: "public.orders" }],
        targets: [{ id: "mart", type: "postgres", connection_ref: "warehouse", object: dataset }],
        checks: [{ id: "orders_not_empty", sql: "select count(*) from mart.orders", severity: "error" }],
        lineage: { edges: [{ from: "public.orders", to: dataset }] },
    },
}));
assert.ok("version" in registered);
assert.equal(registered.version, "1");
assert.equal(body(200, await catalog.GET("/api/v1/pipelines/{id}", { params: { path: { id: pipeline } } })).owner, "sales-data");

const started = body(201, await catalog.POST("/api/v1/runs", {
    body: { id: run, pipeline_id: pipeline, status: "running", started_at: "2026-01-31T06:00:00Z", metadata: { attempt: 1 } },
}));
assert.equal(started.status, "running");
const completed = body(200, await catalog.POST("/api/v1/runs", {
    body: {
        id: run,
        pipeline_id: pipeline,
        status: "completed",
        completed_at: "2026-01-31T06:04:10Z",
        stages: [{ stage_name: "load", status: "completed", records_processed: 4120 }],
    },
}));
assert.equal(completed.status, "completed");

const single = body(201, await catalog.POST("/api/v1/checks/results", {
    body: {
        id: "result-1",
        pipeline_id: pipeline,
        check_id: "orders_not_empty",
        run_id: run,
        status: "fail",
        dataset,
        observed_value: 0,
        executed_at: "2026-01-31T06:05:00Z",
    },
}));
assert("outcome" in single);
assert.equal(single.outcome, "stored");

const bulk = body(207, await catalog.POST("/api/v1/checks/results", {
    body: {
        results: [
            { id: "result-2", pipeline_id: pipeline, check_id: "orders_fresh", run_id: run, status: "pass", observed_value: [4, "min"] },
            { id: "result-3", pipeline_id: "unknown", check_id: "orders_fresh", status: "pass" },
        ],
    },
}));
assert("items" in bulk);
assert.deepEqual(bulk.items.map(item => item.outcome), ["stored", "rejected"]);

const failed = body(200, await catalog.GET("/api/v1/runs/{id}", { params: { path: { id: run } } }));
assert.equal(failed.status, "failed");
assert.match(failed.error_message ?? "", /orders_not_empty/);
assert.equal(failed.duration_seconds, 250);
assert.equal(failed.stages[0]?.records_processed, 4120);
assert.deepEqual([failed.checks.pass, failed.checks.fail], [1, 1]);

const results = body(200, await catalog.GET("/api/v1/checks/results", { params: { query: { pipeline_id: pipeline, run_id: run } } }));
assert.deepEqual(results.items.map(result => result.id).sort(), ["result-1", "result-2"]);
assert.equal(results.items.find(result => result.id === "result-1")?.observed_number, 0);
assert.equal(results.next_cursor ?? null, null);

const missing = await catalog.GET("/api/v1/pipelines/{id}", { params: { path: { id: "unknown" } } });
assert(missing.error);
assert.equal(missing.response.status, 404);
assert.equal(missing.error.status, 404);
assert.equal(missing.error.code, "not_found");

const check = { path: { id: "orders_row_count" }, query: { pipeline_id: pipeline } };
const defined = body(201, await catalog.POST("/api/v1/checks", {
    body: {
        id: "orders_row_count",
        pipeline_id: pipeline,
        dataset,
        connection_id: "warehouse",
        kind: "row_count",
        severity: "warn",
        fail: { below: 1 },
    },
}));
assert.equal(defined.severity, "warn");
assert.deepEqual(body(200, await catalog.GET("/api/v1/checks/{id}", { params: check })).fail, { below: 1 });
assert.equal((await catalog.DELETE("/api/v1/checks/{id}", { params: check })).response.status, 204);
assert.equal((await catalog.GET("/api/v1/checks/{id}", { params: check })).error?.code, "not_found");

const graph = body(200, await catalog.GET("/api/v1/lineage/{dataset}", { params: { path: { dataset } } }));
assert.deepEqual(graph.edges.map(edge => [edge.from, edge.to, edge.pipeline_id]), [["public.orders", dataset, pipeline]]);
assert.deepEqual(graph.nodes.map(node => node.id).sort(), [dataset, "public.orders"].sort());
