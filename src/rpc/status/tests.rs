use prost::Message;
use rstest::rstest;

use super::{bounded::SUMMARY_TYPE, *};
use crate::{import::ImportError as E, proto::ImportSummary};

#[test]
fn refusals_become_the_status_of_the_gravest_kind() {
    let precondition = Refusal::precondition("A", "a", "a");
    let invalid = Refusal::invalid("B", "b", "b");
    let limit = Refusal::limit("C", "c", "c");
    for (refusals, code) in [
        (vec![precondition.clone()], Code::FailedPrecondition),
        (
            vec![precondition.clone(), invalid.clone()],
            Code::InvalidArgument,
        ),
        (vec![invalid, limit, precondition], Code::ResourceExhausted),
    ] {
        assert_eq!(refused(&refusals).code(), code);
    }
}

/// The kinds of details that a status has.
fn details(status: &Status) -> Vec<&'static str> {
    let details = status.get_error_details();
    let kinds = [
        ("BadRequest", details.bad_request().is_some()),
        (
            "PreconditionFailure",
            details.precondition_failure().is_some(),
        ),
        ("QuotaFailure", details.quota_failure().is_some()),
        ("ErrorInfo", details.error_info().is_some()),
        ("RetryInfo", details.retry_info().is_some()),
        ("ResourceInfo", details.resource_info().is_some()),
    ];
    let there = kinds.into_iter().filter(|(_, is)| *is);
    there.map(|(kind, _)| kind).collect()
}

fn away() -> StoreError {
    let gone = sea_orm::RuntimeErr::Internal("gone".to_owned());
    StoreError::Database(sea_orm::DbErr::Conn(gone))
}

fn holder() -> crate::store::LeaseHolder {
    crate::store::LeaseHolder {
        import: Uuid::nil(),
        running: Duration::ZERO,
        runs_out: Duration::ZERO,
        is_alive: true,
    }
}

fn refusing(refusal: Refusal) -> Status {
    from_import(&E::Refused(vec![refusal]))
}

fn in_use() -> Status {
    from_catalog(&CatalogError::InUse(vec![("role", "a".to_owned(), 1)]), "a")
}

/// `api.md`, Status codes: one line for each situation.
#[rstest]
#[case(
    refusing(Refusal::invalid("A", "a", "a")),
    Code::InvalidArgument,
    "BadRequest"
)]
#[case(
    refusing(Refusal::precondition("A", "a", "a")),
    Code::FailedPrecondition,
    "PreconditionFailure"
)]
#[case(
    refusing(Refusal::limit("A", "a", "a")),
    Code::ResourceExhausted,
    "QuotaFailure"
)]
#[case(from_import(&E::Busy(Refusal::limit("A", "a", "a"))), Code::ResourceExhausted, "QuotaFailure RetryInfo")]
#[case(from_import(&E::ClientStalled), Code::ResourceExhausted, "QuotaFailure")]
#[case(from_import(&E::OvertakenBy(Uuid::nil())), Code::FailedPrecondition, "PreconditionFailure")]
#[case(from_import(&E::OrganizationHeld(holder())), Code::Aborted, "ErrorInfo RetryInfo")]
#[case(from_import(&E::ImportIdBound(Uuid::nil())), Code::AlreadyExists, "ErrorInfo")]
#[case(from_import(&E::ImportIdInUse(Uuid::nil())), Code::AlreadyExists, "ErrorInfo")]
#[case(from_import(&E::UnknownOrganization("a".to_owned())), Code::NotFound, "ResourceInfo")]
#[case(from_import(&E::UnknownImport("a".to_owned())), Code::NotFound, "ResourceInfo")]
#[case(from_store(&StoreError::UnknownUser, "a"), Code::NotFound, "ResourceInfo")]
#[case(from_store(&StoreError::OrganizationExists, "a"), Code::AlreadyExists, "ResourceInfo")]
#[case(in_use(), Code::FailedPrecondition, "PreconditionFailure")]
#[case(from_import(&E::Cancelled), Code::Cancelled, "ErrorInfo")]
#[case(from_import(&E::Store(away())), Code::Unavailable, "RetryInfo")]
#[case(from_import(&E::ShuttingDown), Code::Unavailable, "RetryInfo")]
#[case(from_import(&E::TakenOver), Code::Unavailable, "RetryInfo")]
#[case(from_import(&E::Internal("a".to_owned())), Code::Internal, "ErrorInfo")]
fn every_situation_has_its_code_and_its_details(
    #[case] status: Status,
    #[case] code: Code,
    #[case] expected: &str,
) {
    assert_eq!(status.code(), code, "{status}");
    assert_eq!(details(&status).join(" "), expected, "{status}");
}

#[test]
fn a_status_stays_below_four_kib_however_many_faults_there_are() {
    let long = "ä".repeat(1_000);
    let refusals = vec![Refusal::invalid("UNKNOWN_COLUMN", "COLUMN", long); 500];
    let status = refused(&refusals);
    let encoded = status.details().len() * 4 / 3 + status.message().len();
    assert!(encoded < 4_096, "{encoded} bytes");
    assert!(
        status.message().contains("do not fit"),
        "{}",
        status.message()
    );
    assert!(tonic_types::pb::Status::decode(status.details()).is_ok());
}

#[test]
fn an_internal_error_tells_nothing_but_a_request_id() {
    let status = internal(&"password=hunter2");
    assert_eq!(status.code(), Code::Internal);
    assert!(!status.message().contains("hunter2"));
    let info = status.get_details_error_info();
    assert_eq!(info.map(|info| info.metadata.len()), Some(1));
}

/// A summary with more refusals and warnings than a status has room for.
fn long_summary() -> ImportSummary {
    let refusal = crate::proto::Refusal {
        code: "TOO_MANY_REJECTED".to_owned(),
        message: "ä".repeat(200),
        ..crate::proto::Refusal::default()
    };
    let warning = crate::proto::Issue {
        message: "ä".repeat(200),
        ..crate::proto::Issue::default()
    };
    ImportSummary {
        import_id: Uuid::nil().to_string(),
        rows: 7,
        plan_digest: vec![1; 32],
        refusals: vec![refusal; 100],
        warnings: vec![warning; 100],
        ..ImportSummary::default()
    }
}

/// Bytes of a status in the trailers of its response.
fn bytes_on_the_wire(status: &Status) -> usize {
    let mut headers = http::HeaderMap::new();
    status.add_header(&mut headers).unwrap();
    headers.iter().map(|(_, value)| value.len()).sum::<usize>()
}

#[rstest]
#[case::one_short_refusal(1, "a")]
#[case::many_refusals(500, "a refusal with some words")]
#[case::long_text_in_many_bytes(500, &"ä".repeat(1_000))]
fn a_summary_travels_in_the_details_as_far_as_four_kib_allow(
    #[case] refusals: usize,
    #[case] message: &str,
) {
    let refusals = vec![Refusal::precondition("A", "a", message); refusals];
    let plain = refused(&refusals);
    let status = with_summary(&plain, long_summary());
    let bytes = bytes_on_the_wire(&status);
    // A status that is longer by itself gets no summary.
    assert!(bytes <= bytes_on_the_wire(&plain).max(4_096), "{bytes}");
    // The other details are unchanged.
    assert_eq!(
        (status.code(), status.message()),
        (plain.code(), plain.message())
    );
    let all = |status: &Status| {
        tonic_types::pb::Status::decode(status.details())
            .unwrap()
            .details
    };
    assert!(all(&status).starts_with(&all(&plain)));
}

#[test]
fn a_summary_without_details_before_it_is_there_with_what_fits() {
    let status = with_summary(&Status::unavailable("away"), long_summary());
    let rich = tonic_types::pb::Status::decode(status.details()).unwrap();
    assert_eq!(
        (rich.code, &*rich.message),
        (Code::Unavailable.into(), "away")
    );
    let summary: Vec<_> = rich.details.iter().collect();
    assert_eq!(summary[0].type_url, SUMMARY_TYPE);
    let summary = ImportSummary::decode(&*summary[0].value).unwrap();
    let expected = long_summary();
    assert_eq!(
        (summary.rows, &summary.plan_digest),
        (7, &expected.plan_digest)
    );
    let (refusals, warnings) = (summary.refusals.len(), summary.warnings.len());
    assert!(
        (1..100).contains(&refusals) && warnings == 0,
        "{refusals} {warnings}"
    );
    assert_eq!(summary.refusals[0], expected.refusals[0]);
    // There would have been no room for one more.
    let room = 4_096 - bytes_on_the_wire(&status);
    assert!(room < 2 * expected.refusals[0].encoded_len(), "{room}");
}
