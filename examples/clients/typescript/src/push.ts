/** A few typed rows as one call: PushUsers, for services that send users as they change. */

import { Metadata } from "@grpc/grpc-js";
import type { IImportServiceClient } from "../gen/userimport/v1/import_service.grpc-client";
import {
  ImportSummary,
  type ImportStart,
  type PushUsersRequest,
  type PushUsersResponse,
} from "../gen/userimport/v1/import_service";
import type { UserRow } from "../gen/userimport/v1/types";
import { Ended } from "./ended";
import { attempts, isServiceError, named, type Handlers, type Heard, type Limits } from "./importer";
import { detail } from "./retry";

/** Pushes at most 1,000 rows, and tries again as `importRoster` does. A refusal is an end like any other. */
export function pushUsers(
  client: IImportServiceClient,
  options: Partial<ImportStart>,
  rows: readonly UserRow[],
  handlers: Handlers = {},
  metadata = new Metadata(),
  limits: Limits = {},
): Promise<Ended> {
  const start = named(options);
  const push = { start, rows: [...rows] };
  const attempt = async (deadline: number, heard: Heard) => {
    const ended = new Ended(start.importId);
    try {
      const answer = await call(client, push, metadata, deadline);
      heard.hearRows(answer.results);
      heard.hearUsers(answer.deactivations?.users ?? []);
      ended.summary = answer.summary;
    } catch (error) {
      if (!isServiceError(error)) throw error;
      ended.error = error;
      // A refused push has its summary in the details of the status.
      const summary = detail(error, "userimport.v1.ImportSummary");
      ended.summary = summary && ImportSummary.fromBinary(summary);
    }
    return ended;
  };
  return attempts(attempt, start, handlers, limits);
}

function call(
  client: IImportServiceClient,
  push: PushUsersRequest,
  metadata: Metadata,
  deadline: number,
): Promise<PushUsersResponse> {
  return new Promise((resolve, reject) => {
    client.pushUsers(push, metadata, { deadline }, (error, answer) => {
      if (answer) resolve(answer);
      else reject(error);
    });
  });
}
