#!/usr/bin/env node
/** The program: roster-import --organization my-department csv roster.csv */

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { UserRow, type DeactivatedUser, type RowResult } from "../gen/userimport/v1/types";
import { ImportState, IssueSeverity, RowOutcome } from "../gen/userimport/v1/types";
import { bearer, connect, csvFile, importRoster, pushUsers, RosterUnreadable, typedRows } from ".";
import type { Ended, Roster } from ".";

const ENDPOINT = "http://127.0.0.1:50051";

const USAGE = `usage: roster-import [options] csv FILE | rows | push
  --organization SLUG  default: $USER_IMPORT_ORGANIZATION
  --endpoint URL       https://HOST:PORT, or http://HOST:PORT without TLS;
                       default: $USER_IMPORT_ENDPOINT, else ${ENDPOINT}
  --token TOKEN        bearer token; default: $USER_IMPORT_TOKEN
  --ca FILE            PEM file of the authorities to trust, not the system's
  --import-id UUID     to go on with an interrupted import
  --validate-only      report what would happen, write nothing
  --deadline SECONDS   for all attempts together; default: 3600
  --retries N          how often to try again; default: 8`;

// As they may come from another system. `phone` is "": cleared. `rank` is unset: left as it is.
const ROWS = [
  UserRow.create({
    externalId: "HR-1",
    email: "nadia.keller@riverton.example",
    badgeNumber: "0701",
    firstName: "Nadia",
    lastName: "Keller",
    status: "Active",
    username: "nkeller",
    role: "Supervisor",
    rank: "Sergeant",
    phone: "+12025550171",
  }),
  UserRow.create({
    externalId: "HR-2",
    email: "owen.price@riverton.example",
    badgeNumber: "0702",
    firstName: "Owen",
    lastName: "Price",
    status: "Active",
    username: "oprice",
    role: "Officer",
    supervisorEmail: "nadia.keller@riverton.example",
    phone: "",
  }),
];

class WrongUse extends Error {}

async function main(): Promise<number> {
  try {
    const ended = await run(options());
    printEnd(ended);
    return ended.exitCode;
  } catch (error) {
    if (error instanceof WrongUse) note(`error: ${error.message}\n${USAGE}`);
    else if (error instanceof RosterUnreadable) note(`error: ${error.message}`);
    else throw error;
    return 2;
  }
}

type Options = ReturnType<typeof options>;

async function run(options: Options): Promise<Ended> {
  const { client, metadata } = options.connection;
  const start = {
    organization: options.organization,
    importId: options.importId,
    validateOnly: options.validateOnly,
  };
  const { retries, deadlineMs } = options;
  const handlers = {
    onRow: printRow,
    onDeactivated: printDeactivated,
    onResumed: () => note("The server goes on with this import."),
    onRetry: (ended: Ended, waitMs: number, attempt: number) =>
      note(
        `${ended.error?.details ?? "The stream broke off."} Retrying in ` +
          `${(waitMs / 1000).toFixed(1)} s with the same import ID (${attempt} of ${retries}).`,
      ),
  };
  const limits = { retries, deadlineMs };
  try {
    if (!options.roster) {
      return await pushUsers(client, start, ROWS, handlers, metadata, limits);
    }
    return await importRoster(
      client, start, options.roster, handlers, metadata, limits);
  } finally {
    client.close();
  }
}

function options() {
  const { values, positionals } = parse();
  const organization = values.organization ?? process.env.USER_IMPORT_ORGANIZATION;
  if (!organization) throw new WrongUse("--organization is missing");
  return {
    organization,
    connection: connection(values),
    importId: values["import-id"] ?? "",
    validateOnly: values["validate-only"] ?? false,
    deadlineMs: number("--deadline", values.deadline ?? "3600") * 1000,
    retries: number("--retries", values.retries ?? "8"),
    roster: roster(positionals),
  };
}

function parse() {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        organization: text,
        endpoint: text,
        token: text,
        ca: text,
        "import-id": text,
        "validate-only": { type: "boolean" },
        deadline: text,
        retries: text,
      },
    });
  } catch (error) {
    throw new WrongUse((error as Error).message);
  }
}

function connection(values: { endpoint?: string; ca?: string; token?: string }) {
  try {
    const ca = values.ca === undefined ? undefined : readFileSync(values.ca);
    return {
      metadata: bearer(values.token ?? process.env.USER_IMPORT_TOKEN),
      client: connect(values.endpoint ?? process.env.USER_IMPORT_ENDPOINT ?? ENDPOINT, ca),
    };
  } catch (error) {
    throw new WrongUse((error as Error).message);
  }
}

/** Undefined where the rows are pushed as one call. */
function roster([command, file, ...rest]: string[]): Roster | undefined {
  if (command === "csv" && file && rest.length === 0) return csvFile(file);
  if (command === "rows" && !file) return typedRows(ROWS);
  if (command === "push" && !file) return undefined;
  throw new WrongUse("say what to import: csv FILE, rows, or push");
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (text === "" || !(value >= 0)) throw new WrongUse(`${name} needs a number`);
  return value;
}

function printRow(row: RowResult): void {
  const outcome = RowOutcome[row.outcome].toLowerCase();
  console.log(`row ${row.row}: ${outcome} ${printable(row.externalId)}`);
  for (const issue of row.issues) {
    const severity = IssueSeverity[issue.severity].toLowerCase();
    console.log(`  ${severity}: ${printable(issue.message)}`);
  }
}

function printDeactivated(user: DeactivatedUser): void {
  console.log(`deactivated: ${printable(user.externalId)}`);
}

function printEnd(ended: Ended): void {
  const { summary, error } = ended;
  if (summary) {
    console.log(
      `${ImportState[summary.state].toLowerCase()}: ${summary.rows} rows, ` +
        `${summary.created} created, ${summary.updated} updated, ` +
        `${summary.unchanged} unchanged, ${summary.rejected} rejected, ` +
        `${summary.deactivated} deactivated`,
    );
    summary.warnings.forEach(({ message }) => console.log(`  warning: ${printable(message)}`));
    summary.refusals.forEach(({ message }) => note(`refused: ${message}`));
  }
  // The summary has every reason; the status only as many as fit.
  if (error && !summary?.refusals.length) note(`error: ${error.details}`);
  if (ended.exitCode === 5) note(`To go on, repeat this with --import-id ${ended.importId}`);
}

function note(text: string): void {
  console.error(text.split("\n").map(printable).join("\n"));
}

/** A quoted value may hold characters that would command the terminal. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, "\uFFFD");
}

// `exitCode`, not `exit`: what was printed has to reach a pipe first.
main().then((code) => (process.exitCode = code));
