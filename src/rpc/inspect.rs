//! `InspectRoster` of `ImportService`.

use tonic::Status;

use super::{caller::Caller, import::ImportHandlers, status, transport_refusals::memory_exhausted};
use crate::{
    domain::Column,
    import::{INSPECTION_BYTES, InspectedRoster},
    inspect::{self, Inspection, InspectionRequest, Meaning},
    proto::{
        InspectRosterRequest, InspectRosterResponse, InspectedColumn, InspectedValue, RosterFormat,
    },
};

impl ImportHandlers {
    /// Inspects a file. Nothing is stored.
    pub(super) async fn inspect(
        self,
        caller: Caller,
        request: InspectRosterRequest,
    ) -> Result<InspectRosterResponse, Status> {
        let organization = caller
            .organization(self.store(), &request.organization)
            .await?
            .release_permit();
        let memory = caller.account().reserve(INSPECTION_BYTES);
        let _memory = memory.map_err(memory_exhausted)?;
        let importer = self.importer().without_retries();
        let inspecting = importer.inspect(caller.principal(), &organization, roster(request));
        let inspection = inspecting.await;
        Ok(response(
            inspection.map_err(|error| status::from_import(&error))?,
        ))
    }
}

fn roster(request: InspectRosterRequest) -> InspectedRoster {
    let csv = request.csv.unwrap_or_default();
    InspectedRoster {
        content: request.content,
        import_id: request.import_id,
        is_mapped: request.mapping.is_some(),
        request: InspectionRequest {
            charset: csv.charset,
            delimiter: csv.delimiter,
            mapping: request.mapping.map(Into::into).unwrap_or_default(),
        },
        mapping_name: request.mapping_name,
    }
}

fn response(inspection: Inspection) -> InspectRosterResponse {
    let header = |column: Column| column.header().to_owned();
    InspectRosterResponse {
        format: RosterFormat::Csv.into(),
        charset: inspection.charset.to_owned(),
        delimiter: match inspection.header_line {
            0 => String::new(),
            _ => inspection.delimiter.to_string(),
        },
        header_line: inspection.header_line,
        columns: inspection.columns.into_iter().map(column).collect(),
        values: inspection.values.into_iter().map(value).collect(),
        mapping: inspection.mapping.map(Into::into),
        missing_columns: inspection.missing.into_iter().map(header).collect(),
        issues: inspection.issues.iter().map(Into::into).collect(),
    }
}

fn column(inspected: inspect::InspectedColumn) -> InspectedColumn {
    InspectedColumn {
        name: inspected.name,
        proposed_column: inspected.proposed.map_or("", Column::header).to_owned(),
        samples: inspected.samples,
        reason: inspected.reason,
    }
}

fn value(inspected: inspect::InspectedValue) -> InspectedValue {
    let (becomes, known, suggestion) = match inspected.meaning {
        Meaning::Known(becomes) => (becomes, true, None),
        Meaning::Unknown(suggestion) => (String::new(), false, suggestion),
    };
    InspectedValue {
        column: inspected.column.header().to_owned(),
        cell: inspected.cell,
        count: inspected.count,
        becomes,
        known,
        suggestion: suggestion.unwrap_or_default(),
    }
}
