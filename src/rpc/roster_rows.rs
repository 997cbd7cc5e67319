//! `ReadRosterRows` of `ImportService`.

use tonic::Status;

use super::{caller::Caller, import::ImportHandlers, status};
use crate::{
    domain::Column,
    import::{RosterRow, WantedRows},
    inspect::InspectionRequest,
    proto::{ReadRosterRowsRequest, ReadRosterRowsResponse, RosterRow as RowMessage, UserRow},
};

impl ImportHandlers {
    /// Reads rows of an upload. Nothing is stored.
    pub(super) async fn read_rows(
        self,
        caller: Caller,
        request: ReadRosterRowsRequest,
    ) -> Result<ReadRosterRowsResponse, Status> {
        if request.mapping.is_some() && !request.mapping_name.is_empty() {
            let message = "mapping and mapping_name are both set; send one of them.";
            return Err(status::invalid("BAD_MAPPING", "mapping_name", message));
        }
        let slug = &request.organization;
        let organization = caller.organization(self.store(), slug).await?;
        let organization = organization.release_permit();
        let importer = self.importer().without_retries();
        let asker = (&**caller.principal(), caller.account());
        let reading = importer.read_rows(asker, &organization, wanted(request), caller.clone());
        let rows = reading.await.map_err(|error| status::from_import(&error))?;
        Ok(ReadRosterRowsResponse {
            rows: rows.into_iter().map(message).collect(),
        })
    }
}

fn wanted(request: ReadRosterRowsRequest) -> WantedRows {
    let csv = request.csv.unwrap_or_default();
    WantedRows {
        import_id: request.import_id,
        request: InspectionRequest {
            charset: csv.charset,
            delimiter: csv.delimiter,
            sheet: request.workbook.unwrap_or_default().sheet,
            mapping: request.mapping.map(Into::into).unwrap_or_default(),
        },
        ignore_unknown_columns: csv.ignore_unknown_columns,
        mapping_name: request.mapping_name,
        rows: request.rows,
    }
}

fn message(row: RosterRow) -> RowMessage {
    RowMessage {
        row: row.row,
        values: row.values.map(user_row),
    }
}

fn user_row(mut values: [Option<String>; Column::COUNT]) -> UserRow {
    let mut value = |column: Column| values[column as usize].take();
    UserRow {
        external_id: value(Column::ExternalId),
        email: value(Column::Email),
        badge_number: value(Column::BadgeNumber),
        first_name: value(Column::FirstName),
        last_name: value(Column::LastName),
        status: value(Column::Status),
        username: value(Column::Username),
        role: value(Column::Role),
        supervisor_email: value(Column::SupervisorEmail),
        location: value(Column::Location),
        rank: value(Column::Rank),
        evidence_group_external_id: value(Column::EvidenceGroupExtId),
        phone: value(Column::Phone),
    }
}
