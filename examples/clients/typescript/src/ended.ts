/** How an import ended. */

import { status, type ServiceError } from "@grpc/grpc-js";
import type { ImportSummary } from "../gen/userimport/v1/import_service";
import { ImportState } from "../gen/userimport/v1/types";
import { hasDetails, isTransient } from "./retry";

// The server gave no result of the import: it may have stopped anywhere.
const UNSURE = [
  status.CANCELLED,
  status.DATA_LOSS,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.UNKNOWN,
];

export class Ended {
  /** The last message; undefined where the stream broke off before it. */
  summary?: ImportSummary;
  /** The status, unless it was OK. */
  error?: ServiceError;

  constructor(readonly importId: string) {}

  get isTransient(): boolean {
    return this.error ? isTransient(this.error) : this.summary === undefined;
  }

  /**
   * As the `user-import` command has it: 0 all rows stand, 3 some rows rejected, 4 refused (nothing
   * written), 5 interrupted or unreachable, 6 cancelled.
   */
  get exitCode(): number {
    const state = this.summary?.state;
    if (this.isTransient || state === ImportState.INTERRUPTED) return 5;
    if (state === ImportState.REFUSED) return 4;
    if (state === ImportState.CANCELLED) return 6;
    if (!this.error) return this.summary?.rejected ? 3 : 0;
    if (this.error.code === status.CANCELLED && hasDetails(this.error)) return 6;
    return UNSURE.includes(this.error.code) ? 5 : 4;
  }
}
