//! `ReadRosterRows` of `ImportService`.

use tonic::Status;

use super::{caller::Caller, import::ImportHandlers, inspect::file_format, status};
use crate::{
    domain::Column,
    import::{RosterRow, WantedRows},
    proto::{ReadRosterRowsRequest, ReadRosterRowsResponse, RosterRow as RowMessage, UserRow},
};

impl ImportHandlers {
    /// Reads rows of an upload. Nothing is stored.
    pub(super) async fn read_rows(
        self,
        caller: Caller,
        request: ReadRosterRowsRequest,
    ) -> Result<ReadRosterRowsResponse, Status> {
        let organization = caller
            .organization(self.store(), &request.organization)
            .await?
            .release_permit();
        let importer = self.importer().without_retries();
        let asker = (&**caller.principal(), caller.account());
        let reading = importer.read_rows(asker, &organization, wanted(request)?, caller.clone());
        let rows = reading.await.map_err(|error| status::from_import(&error))?;
        Ok(ReadRosterRowsResponse {
            rows: rows.into_iter().map(message).collect(),
        })
    }
}

fn wanted(request: ReadRosterRowsRequest) -> Result<WantedRows, Status> {
    let mapping = (request.mapping, &*request.mapping_name);
    let csv = request.csv.unwrap_or_default();
    let ignore_unknown_columns = csv.ignore_unknown_columns;
    Ok(WantedRows {
        import_id: request.import_id,
        request: file_format(csv, request.workbook, mapping)?,
        ignore_unknown_columns,
        mapping_name: request.mapping_name,
        rows: request.rows,
    })
}

fn message(row: RosterRow) -> RowMessage {
    RowMessage {
        row: row.row,
        values: row.values.map(user_row),
    }
}

fn user_row(values: [Option<String>; Column::COUNT]) -> UserRow {
    let mut row = UserRow::default();
    for (column, value) in Column::ALL.into_iter().zip(values) {
        *row.field_mut(column) = value;
    }
    row
}
