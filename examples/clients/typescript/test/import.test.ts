/** The program against the real server. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ORGANIZATION, REPOSITORY, Server, SLOW } from "./server";

const HEADER = "EXTERNAL_ID,EMAIL,BADGE_NUMBER,FIRST_NAME,LAST_NAME,STATUS,USERNAME,ROLE";
const MANY = 1_000;

async function open(context: TestContext, ...options: string[]): Promise<Server> {
  const server = await Server.open(...options);
  context.after(() => server.close());
  return server;
}

/** The program, running. */
class Run {
  out = "";
  errors = "";
  private readonly process;
  private readonly closed;

  constructor(server: Server, ...args: string[]) {
    const options = ["--endpoint", server.address, "--organization", ORGANIZATION, ...args];
    const program = join(__dirname, "../src/main.js");
    this.process = spawn(process.execPath, [program, ...options], {
      stdio: "pipe",
      env: server.environment,
    });
    this.process.stdout.on("data", (data) => (this.out += data));
    this.process.stderr.on("data", (data) => (this.errors += data));
    this.closed = once(this.process, "close");
  }

  async firstResults(): Promise<void> {
    while (!this.out.includes("row ")) await once(this.process.stdout, "data");
  }

  async code(): Promise<number> {
    const [code] = await this.closed;
    return code;
  }

  outcomes(): [number, string][] {
    const found = [...this.out.matchAll(/^row (\d+): (\w+)/gm)];
    const rows = found.map(([, row, outcome]): [number, string] => [Number(row), outcome]);
    return rows.sort(([a], [b]) => a - b);
  }
}

function officers(server: Server, name: string, rows: number, header = HEADER): string {
  const path = join(server.directory, name);
  const line = (n: number) => `E${n},o${n}@riverton.example,B${n},An,Officer,Active,o${n},Officer`;
  writeFileSync(path, [header, ...Array.from({ length: rows }, (_, n) => line(n)), ""].join("\n"));
  return path;
}

function all(rows: number, outcome: string): [number, string][] {
  return Array.from({ length: rows }, (_, n) => [n + 1, outcome]);
}

test("all rows of a good file stand", async (context) => {
  const server = await open(context);
  const run = new Run(server, "csv", join(REPOSITORY, "examples/roster-before.csv"));
  assert.equal(await run.code(), 0, run.errors);
  assert.deepEqual(run.outcomes(), all(12, "created"));
  assert.match(run.out, /^completed: 12 rows, 12 created,/m);
  assert.equal(server.users(), 12);
});

test("rejected rows of a faulty file are listed with their issues", async (context) => {
  const server = await open(context);
  const run = new Run(server, "csv", join(REPOSITORY, "examples/roster.csv"));
  assert.equal(await run.code(), 3, run.errors);
  const rejected = run.outcomes().filter(([, outcome]) => outcome === "rejected");
  assert.deepEqual(rejected.map(([row]) => row), [16, 17, 19, 20]);
  assert.match(run.out, /^row 16: rejected P-1016\n {2}error: ROLE "Oficer" is not a role/m);
  assert.match(run.out, /^completed: 20 rows, 16 created, 0 updated, 0 unchanged, 4 rejected/m);
});

test("a dry run writes nothing", async (context) => {
  const server = await open(context);
  const file = join(REPOSITORY, "examples/roster-before.csv");
  const run = new Run(server, "--validate-only", "csv", file);
  assert.equal(await run.code(), 0, run.errors);
  assert.equal(run.outcomes().length, 12);
  assert.equal(server.users(), 0);
});

test("a refusal is heard while the roster is still on its way", async (context) => {
  const server = await open(context);
  const file = officers(server, "large.csv", 200_000, HEADER.replace("EMAIL", "EMIAL"));
  const run = new Run(server, "csv", file);
  assert.equal(await run.code(), 4, run.errors);
  assert.deepEqual(run.outcomes(), []);
  assert.match(run.errors, /EMIAL.*did you mean EMAIL\?/);
  assert.equal(server.users(), 0);
});

test("typed rows are imported from memory", async (context) => {
  const server = await open(context);
  const run = new Run(server, "rows");
  assert.equal(await run.code(), 0, run.errors);
  assert.deepEqual(run.outcomes(), all(2, "created"));
  const users = server.command("export", "--organization", ORGANIZATION);
  assert.match(users, /HR-2,owen.price@riverton.example,0702,Owen,Price,Active,oprice,Officer/);
  const again = new Run(server, "rows");
  assert.equal(await again.code(), 0, again.errors);
  assert.deepEqual(again.outcomes(), all(2, "unchanged"));
});

const IMPORT_ID = "0190e7f2-0000-7000-8000-000000000001";

test("typed rows are pushed as one call", async (context) => {
  const server = await open(context);
  const run = new Run(server, "push");
  assert.equal(await run.code(), 0, run.errors);
  assert.deepEqual(run.outcomes(), all(2, "created"));
  assert.match(run.out, /^completed: 2 rows, 2 created,/m);
  assert.equal(server.users(), 2);
});

test("a push and an import of the same rows under one ID are one import", async (context) => {
  const server = await open(context);
  const first = new Run(server, "--import-id", IMPORT_ID, "rows");
  assert.equal(await first.code(), 0, first.errors);
  const run = new Run(server, "--import-id", IMPORT_ID, "push");
  assert.equal(await run.code(), 0, run.errors);
  assert.deepEqual(run.outcomes(), all(2, "created"));
});

test("a refused push says why", async (context) => {
  const server = await open(context);
  const file = join(REPOSITORY, "examples/roster-before.csv");
  const first = new Run(server, "--import-id", IMPORT_ID, "csv", file);
  assert.equal(await first.code(), 0, first.errors);
  const run = new Run(server, "--import-id", IMPORT_ID, "push");
  assert.equal(await run.code(), 4, run.errors);
  assert.match(run.out, /^refused: 0 rows/m);
  assert.match(run.errors, /^refused: Import ID/m);
});

test("a push waits for a running import", async (context) => {
  const server = await open(context, ...SLOW);
  const first = await server.beginImport(officers(server, "many.csv", MANY));
  const firstEnded = once(first, "exit");
  const run = new Run(server, "--retries", "100", "push");
  assert.equal(await run.code(), 0, run.errors);
  assert.deepEqual(await firstEnded, [0, null]);
  assert.match(run.errors, /with the same import ID \(1 of 100\)/);
  assert.deepEqual(run.outcomes(), all(2, "created"));
});

test("a push that finds no server says how to go on", async (context) => {
  const server = await open(context);
  await server.kill();
  const lost = new Run(server, "--retries", "1", "push");
  assert.equal(await lost.code(), 5, lost.errors);
  assert.match(lost.errors, /with the same import ID \(1 of 1\)/);
  const [, importId] = lost.errors.match(/--import-id (\S+)/)!;
  await server.start();
  const run = new Run(server, "--import-id", importId, "push");
  assert.equal(await run.code(), 0, run.errors);
  assert.deepEqual(run.outcomes(), all(2, "created"));
});

test("an import survives the death of its server", async (context) => {
  const server = await open(context, ...SLOW);
  const run = new Run(server, "csv", officers(server, "many.csv", MANY));
  await run.firstResults();
  await server.kill();
  await server.start();
  assert.equal(await run.code(), 0, run.errors);
  assert.deepEqual(run.outcomes(), all(MANY, "created"));
  assert.match(run.errors, /with the same import ID \(1 of 8\)/);
  assert.match(run.errors, /The server goes on with this import\./);
  assert.ok(run.out.includes(`completed: ${MANY} rows, ${MANY} created`), run.out.slice(-200));
  assert.equal(server.users(), MANY);
});

test("a second import waits for the first", async (context) => {
  const server = await open(context, ...SLOW);
  const first = await server.beginImport(officers(server, "many.csv", MANY));
  const firstEnded = once(first, "exit");
  const run = new Run(server, "--retries", "100", "csv", officers(server, "two.csv", 2));
  assert.equal(await run.code(), 0, run.errors);
  assert.deepEqual(await firstEnded, [0, null]);
  assert.match(run.errors, /with the same import ID \(1 of 100\)/);
  assert.deepEqual(run.outcomes(), all(2, "unchanged"));
});

test("an interrupted import says how to go on", async (context) => {
  const server = await open(context, ...SLOW);
  const file = officers(server, "many.csv", MANY);
  const run = new Run(server, "--retries", "0", "csv", file);
  await run.firstResults();
  await server.kill();
  assert.equal(await run.code(), 5, run.errors);
  const [, importId] = run.errors.match(/--import-id (\S+)/)!;
  await server.start();
  const again = new Run(server, "--import-id", importId, "csv", file);
  assert.equal(await again.code(), 0, again.errors);
  assert.deepEqual(again.outcomes(), all(MANY, "created"));
});

test("a cancelled import has an exit code of its own", async (context) => {
  const server = await open(context, ...SLOW);
  const file = officers(server, "many.csv", MANY);
  const run = new Run(server, "--import-id", IMPORT_ID, "csv", file);
  await run.firstResults();
  server.command("cancel", IMPORT_ID, "--organization", ORGANIZATION);
  assert.equal(await run.code(), 6, run.errors);
  assert.match(run.out, /^cancelled: /m);
});

test("a deadline bounds all attempts", async (context) => {
  const server = await open(context, ...SLOW);
  const file = officers(server, "many.csv", MANY);
  const run = new Run(server, "--deadline", "0.3", "csv", file);
  assert.equal(await run.code(), 5, run.errors);
  assert.match(run.errors, /Deadline/);
});

test("a file that cannot be read is wrong use", async (context) => {
  const server = await open(context);
  const run = new Run(server, "csv", "missing.csv");
  assert.equal(await run.code(), 2);
  assert.match(run.errors, /missing\.csv/);
});

test("a file without certificates and an impossible token are wrong use", async (context) => {
  const server = await open(context);
  const ca = new Run(server, "--ca", join(REPOSITORY, "examples/catalog.json"), "rows");
  assert.equal(await ca.code(), 2);
  assert.match(ca.errors, /no certificate/);
  const token = new Run(server, "--token", "line\nbreak", "rows");
  assert.equal(await token.code(), 2);
  assert.match(token.errors, /ASCII/);
});
