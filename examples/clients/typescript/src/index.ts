/** Imports rosters into User Import over gRPC; see `importRoster` and `pushUsers`. */

export { bearer, connect } from "./channel";
export { Ended } from "./ended";
export { importRoster, type Handlers, type Limits } from "./importer";
export { pushUsers } from "./push";
export { csvFile, RosterUnreadable, typedRows, type Roster } from "./roster";
