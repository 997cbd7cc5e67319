/** One import, from its first attempt to its end. */

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientDuplexStream, Metadata, ServiceError } from "@grpc/grpc-js";
import type { IImportServiceClient } from "../gen/userimport/v1/import_service.grpc-client";
import {
  ImportStart,
  type ImportUsersRequest,
  type ImportUsersResponse,
} from "../gen/userimport/v1/import_service";
import type { DeactivatedUser, RowResult } from "../gen/userimport/v1/types";
import { Ended } from "./ended";
import { waitBeforeMs } from "./retry";
import { RosterUnreadable, type Roster } from "./roster";

export interface Handlers {
  /** Called for each row exactly once, as soon as it is decided. */
  onRow?(row: RowResult): void;
  onDeactivated?(user: DeactivatedUser): void;
  onRetry?(ended: Ended, waitMs: number, attempt: number): void;
  /** The server goes on with an import that an earlier attempt had begun. */
  onResumed?(): void;
}

export interface Limits {
  /** For all attempts together; an hour by default. */
  deadlineMs?: number;
  /** How often to try again; 8 times by default. */
  retries?: number;
}

type Call = ClientDuplexStream<ImportUsersRequest, ImportUsersResponse>;

/**
 * Imports `roster`. A refusal is an end like any other.
 *
 * Throws RosterUnreadable where the roster cannot be read, and nothing is written then.
 */
export async function importRoster(
  client: IImportServiceClient,
  options: Partial<ImportStart>,
  roster: Roster,
  handlers: Handlers = {},
  metadata?: Metadata,
  limits: Limits = {},
): Promise<Ended> {
  const start = named(options);
  const attempt = (deadline: number, heard: Heard) => {
    const call = metadata
      ? client.importUsers(metadata, { deadline })
      : client.importUsers({ deadline });
    return runAttempt(call, start, roster, heard);
  };
  return attempts(attempt, start, handlers, limits);
}

/** The ID must not change between attempts: by it the server knows the import again. */
export function named(options: Partial<ImportStart>): ImportStart {
  const importId = options.importId || randomUUID();
  return ImportStart.create({ ...options, importId });
}

/** Attempts an import until it has ended, or another attempt makes no sense. */
export async function attempts(
  run: (deadline: number, heard: Heard) => Promise<Ended>,
  start: ImportStart,
  handlers: Handlers,
  { deadlineMs = 3_600_000, retries = 8 }: Limits,
): Promise<Ended> {
  const heard = new Heard(handlers);
  const deadline = Date.now() + deadlineMs;
  for (let attempt = 1; ; attempt++) {
    const ended = await run(deadline, heard);
    const waitMs = waitBeforeMs(attempt, ended.error);
    // A dry run leaves no record to go on from, and a second one may judge rows otherwise.
    const toldForGood = start.validateOnly && heard.rows.size > 0;
    const inTime = Date.now() + waitMs < deadline;
    if (attempt > retries || !ended.isTransient || toldForGood || !inTime) {
      return ended;
    }
    handlers.onRetry?.(ended, waitMs, attempt);
    await sleep(waitMs);
  }
}

/** What was reported already. A retry hears it again, and tells it by its row number. */
export class Heard {
  readonly rows = new Set<number>();
  private readonly users = new Set<string>();

  constructor(private readonly handlers: Handlers) {}

  hear({ message }: ImportUsersResponse, ended: Ended): void {
    switch (message.oneofKind) {
      case "started":
        if (message.started.resumed) this.handlers.onResumed?.();
        break;
      case "results":
        this.hearRows(message.results.results);
        break;
      case "deactivations":
        this.hearUsers(message.deactivations.users);
        break;
      case "summary":
        ended.summary = message.summary;
    }
  }

  hearRows(rows: RowResult[]): void {
    for (const row of rows) {
      if (this.rows.has(row.row)) continue;
      this.rows.add(row.row);
      this.handlers.onRow?.(row);
    }
  }

  hearUsers(users: DeactivatedUser[]): void {
    for (const user of users) {
      if (this.users.has(user.userId)) continue;
      this.users.add(user.userId);
      this.handlers.onDeactivated?.(user);
    }
  }
}

async function runAttempt(
  call: Call,
  start: ImportStart,
  roster: Roster,
  heard: Heard,
): Promise<Ended> {
  const ended = new Ended(start.importId);
  const answered = new AbortController();
  // Sent and read side by side: neither the server nor this client ever waits for the other.
  const sending = send(call, start, roster, answered.signal);
  try {
    for await (const answer of call) {
      heard.hear(answer, ended);
    }
  } catch (error) {
    if (!isServiceError(error)) throw error;
    ended.error = error;
  } finally {
    answered.abort();
    call.cancel(); // Does nothing to a call that has ended.
  }
  const failure = await sending;
  if (failure) throw new RosterUnreadable(failure.message, { cause: failure });
  return ended;
}

/** Sends the roster until the server has answered for good; returns why it could not be read. */
async function send(
  call: Call,
  start: ImportStart,
  roster: Roster,
  answered: AbortSignal,
): Promise<Error | undefined> {
  try {
    call.write({ message: { oneofKind: "start", start } });
    for await (const message of roster()) {
      // False: enough is under way, and more would only pile up in memory.
      if (!call.write(message)) await once(call, "drain", { signal: answered });
      if (answered.aborted) return undefined;
    }
    return undefined;
  } catch (error) {
    return answered.aborted ? undefined : (error as Error);
  } finally {
    // If the roster broke off, this ends the stream without `finish`: half a roster is never
    // taken for a whole one.
    call.end();
  }
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "metadata" in error;
}
