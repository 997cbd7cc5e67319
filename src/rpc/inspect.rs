//! `InspectRoster` of `ImportService`.

use tonic::Status;

use super::{caller::Caller, import::ImportHandlers, status};
use crate::{
    domain::Column,
    import::{InspectedRoster, expect_one_mapping},
    inspect::{self, FileInspection, InspectionRequest, ValueMeaning},
    proto::{
        CsvFormat, InspectRosterRequest, InspectRosterResponse, InspectedColumn, InspectedValue,
        Mapping, RosterFormat, SampleRow, WorkbookFormat,
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
        let importer = self.importer().without_retries();
        let asker = (&**caller.principal(), caller.account());
        let inspecting = importer.inspect(asker, &organization, roster(request)?, caller.clone());
        let inspection = inspecting.await;
        Ok(response(
            inspection.map_err(|error| status::from_import(&error))?,
        ))
    }
}

fn roster(request: InspectRosterRequest) -> Result<InspectedRoster, Status> {
    let csv = request.csv.unwrap_or_default();
    let mapping = (request.mapping, &*request.mapping_name);
    Ok(InspectedRoster {
        content: request.content,
        import_id: request.import_id,
        request: file_format(csv, request.workbook, mapping)?,
        mapping_name: request.mapping_name,
    })
}

/// Returns how to read the file of a request. `mapping` has the mapping that the request sends, and the name of a saved
/// mapping.
///
/// # Errors
/// Fails if the request has both mappings.
pub(super) fn file_format(
    csv: CsvFormat,
    workbook: Option<WorkbookFormat>,
    (mapping, mapping_name): (Option<Mapping>, &str),
) -> Result<InspectionRequest, Status> {
    expect_one_mapping(mapping.as_ref(), mapping_name)
        .map_err(|refusal| status::from_import(&refusal.into()))?;
    Ok(InspectionRequest {
        charset: csv.charset,
        delimiter: csv.delimiter,
        sheet: workbook.unwrap_or_default().sheet,
        mapping: mapping.map(Into::into).unwrap_or_default(),
    })
}

fn response(inspection: FileInspection) -> InspectRosterResponse {
    let header = |column: Column| column.header().to_owned();
    let (format, charset, delimiter, sheets) = match inspection.format {
        inspect::InspectedFormat::Csv { charset, .. } if inspection.header_line == 0 => {
            (RosterFormat::Csv, charset, String::new(), Vec::new())
        }
        inspect::InspectedFormat::Csv { charset, delimiter } => (
            RosterFormat::Csv,
            charset,
            delimiter.to_string(),
            Vec::new(),
        ),
        inspect::InspectedFormat::Workbook { sheets } => {
            (RosterFormat::Workbook, "", String::new(), sheets)
        }
    };
    InspectRosterResponse {
        format: format.into(),
        charset: charset.to_owned(),
        delimiter,
        sheets,
        header_line: inspection.header_line,
        columns: inspection.columns.into_iter().map(column).collect(),
        values: inspection.values.into_iter().map(value).collect(),
        mapping: inspection.mapping.map(Into::into),
        missing_columns: inspection.missing.into_iter().map(header).collect(),
        issues: inspection.issues.iter().map(Into::into).collect(),
        first_rows: inspection.first_rows.into_iter().map(sample_row).collect(),
    }
}

fn sample_row(cells: Vec<String>) -> SampleRow {
    SampleRow { cells }
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
        ValueMeaning::Known(becomes) => (becomes, true, None),
        ValueMeaning::Unknown(suggestion) => (String::new(), false, suggestion),
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
