use prost::Message;
use rstest::rstest;

use super::*;
use crate::import::ImportError as E;

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
