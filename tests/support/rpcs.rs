//! Calls every RPC of the contract with some valid request.

use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::{Code, Request, Status, client::Grpc};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;
use user_import::proto::{
    AppendImportRequest, ApproveImportRequest, BeginImportRequest, CancelImportRequest, Catalog,
    CreateOrganizationRequest, DESCRIPTOR_SET, DeleteMappingRequest, ExportUsersRequest,
    FinishImportRequest, GetCallerRequest, GetCatalogRequest, GetImportRequest,
    GetImportTemplateRequest, GetOrganizationRequest, GetUserRequest, ImportUsersRequest,
    InspectRosterRequest, ListAuditEventsRequest, ListImportsRequest, ListMappingsRequest,
    ListOrganizationsRequest, ListUserImportsRequest, ListUsersRequest, Mapping, NamedMapping,
    PushUsersRequest, ReadRosterRowsRequest, RecordAuditArchiveRequest, ReviewImportRequest,
    SaveMappingRequest, SetUserProtectedRequest, UndoImportRequest, UpdateCatalogRequest,
    WatchImportRequest, append_import_request, get_user_request::Key, import_users_request,
};

use crate::{App, catalog, start_of};

/// An ID that no record has.
pub const NOBODY: &str = "018f4e9e-5c7b-7000-8000-000000000001";

/// Returns the path of every RPC in the contract.
pub fn all() -> Vec<String> {
    let files = FileDescriptorSet::decode(DESCRIPTOR_SET).unwrap().file;
    let mut paths = Vec::new();
    for file in &files {
        for service in &file.service {
            let methods = service.method.iter();
            paths.extend(methods.map(|method| {
                let package = file.package.as_deref().unwrap();
                format!("/{package}.{}/{}", service.name(), method.name())
            }));
        }
    }
    assert!(paths.len() >= 15, "{paths:?}");
    paths
}

/// Returns the method's name alone.
pub fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// Returns `true` if the request names no organisation.
pub fn is_global(path: &str) -> bool {
    matches!(name(path), "ListOrganizations" | "GetCaller")
}

/// Returns a request about `organization`. The records that it names do not exist there, except for a catalog.
fn request(path: &str, organization: &str) -> Vec<u8> {
    let (service, method) = path.rsplit_once('/').unwrap();
    let organization = organization.to_owned();
    match service {
        "/userimport.v1.ImportService" => import_request(method, organization),
        "/userimport.v1.AuditService" => audit_request(method, organization),
        _ => directory_request(method, organization),
    }
}

fn import_request(method: &str, organization: String) -> Vec<u8> {
    let import_id = NOBODY.to_owned();
    match method {
        "ImportUsers" => {
            let start = import_users_request::Message::Start(start_of(&organization));
            let message = Some(start);
            ImportUsersRequest { message }.encode_to_vec()
        }
        // The request has no rows, so that the call fails if it is admitted.
        "PushUsers" => PushUsersRequest {
            start: Some(start_of(&organization)),
            rows: Vec::new(),
        }
        .encode_to_vec(),
        "BeginImport" => BeginImportRequest {
            start: Some(start_of(&organization)),
            ..BeginImportRequest::default()
        }
        .encode_to_vec(),
        "AppendImport" => AppendImportRequest {
            organization,
            import_id,
            offset: 0,
            content: Some(append_import_request::Content::CsvChunk("EMAIL".into())),
        }
        .encode_to_vec(),
        "FinishImport" => FinishImportRequest {
            organization,
            import_id,
            finish: None,
        }
        .encode_to_vec(),
        "WatchImport" => WatchImportRequest {
            organization,
            import_id,
            ..WatchImportRequest::default()
        }
        .encode_to_vec(),
        "InspectRoster" => InspectRosterRequest {
            organization,
            content: "EMAIL".into(),
            ..InspectRosterRequest::default()
        }
        .encode_to_vec(),
        "ReadRosterRows" => ReadRosterRowsRequest {
            organization,
            import_id,
            rows: vec![1],
            ..ReadRosterRowsRequest::default()
        }
        .encode_to_vec(),
        "GetImport" => GetImportRequest {
            organization,
            import_id,
        }
        .encode_to_vec(),
        "ListImports" => ListImportsRequest {
            organization,
            ..ListImportsRequest::default()
        }
        .encode_to_vec(),
        "ListUserImports" => ListUserImportsRequest {
            organization,
            user_id: NOBODY.to_owned(),
            ..ListUserImportsRequest::default()
        }
        .encode_to_vec(),
        "UndoImport" => UndoImportRequest {
            organization,
            import_id: NOBODY.to_owned(),
            ..UndoImportRequest::default()
        }
        .encode_to_vec(),
        "ReviewImport" => ReviewImportRequest {
            organization,
            import_id,
            ..ReviewImportRequest::default()
        }
        .encode_to_vec(),
        "ApproveImport" => ApproveImportRequest {
            organization,
            import_id,
            expected_plan_digest: vec![7; 32],
            ..ApproveImportRequest::default()
        }
        .encode_to_vec(),
        "CancelImport" => CancelImportRequest {
            organization,
            import_id,
        }
        .encode_to_vec(),
        "GetImportTemplate" => GetImportTemplateRequest {
            organization,
            ..GetImportTemplateRequest::default()
        }
        .encode_to_vec(),
        other => panic!("{other} is new: give it a request, and a place in every test here"),
    }
}

fn audit_request(method: &str, organization: String) -> Vec<u8> {
    match method {
        "ListAuditEvents" => ListAuditEventsRequest {
            organization,
            ..ListAuditEventsRequest::default()
        }
        .encode_to_vec(),
        "RecordAuditArchive" => RecordAuditArchiveRequest {
            organization,
            ..RecordAuditArchiveRequest::default()
        }
        .encode_to_vec(),
        other => panic!("{other} is new: give it a request, and a place in every test here"),
    }
}

fn directory_request(method: &str, organization: String) -> Vec<u8> {
    let user_id = NOBODY.to_owned();
    match method {
        "CreateOrganization" => CreateOrganizationRequest {
            organization,
            ..CreateOrganizationRequest::default()
        }
        .encode_to_vec(),
        "GetOrganization" => GetOrganizationRequest { organization }.encode_to_vec(),
        "ListOrganizations" => ListOrganizationsRequest::default().encode_to_vec(),
        "GetCaller" => GetCallerRequest::default().encode_to_vec(),
        "GetCatalog" => GetCatalogRequest { organization }.encode_to_vec(),
        "UpdateCatalog" => UpdateCatalogRequest {
            organization,
            catalog: Some(Catalog::clone(&catalog())),
        }
        .encode_to_vec(),
        "GetUser" => GetUserRequest {
            organization,
            key: Some(Key::UserId(user_id)),
        }
        .encode_to_vec(),
        "ListUsers" => ListUsersRequest {
            organization,
            ..ListUsersRequest::default()
        }
        .encode_to_vec(),
        "ExportUsers" => ExportUsersRequest {
            organization,
            ..ExportUsersRequest::default()
        }
        .encode_to_vec(),
        "SetUserProtected" => SetUserProtectedRequest {
            organization,
            user_id,
            protected: true,
        }
        .encode_to_vec(),
        "ListMappings" => ListMappingsRequest { organization }.encode_to_vec(),
        "SaveMapping" => SaveMappingRequest {
            organization,
            mapping: Some(NamedMapping {
                name: "nobodys".to_owned(),
                mapping: Some(Mapping::default()),
                updated_at: None,
            }),
        }
        .encode_to_vec(),
        "DeleteMapping" => DeleteMappingRequest {
            organization,
            name: "nobodys".to_owned(),
        }
        .encode_to_vec(),
        other => panic!("{other} is new: give it a request, and a place in every test here"),
    }
}

/// A message that consists of these bytes.
#[derive(Clone, Debug, Default)]
struct RawMessage(Vec<u8>);

impl Message for RawMessage {
    fn encode_raw(&self, buf: &mut impl prost::bytes::BufMut) {
        buf.put_slice(&self.0);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: prost::encoding::WireType,
        buf: &mut impl prost::bytes::Buf,
        ctx: prost::encoding::DecodeContext,
    ) -> Result<(), prost::DecodeError> {
        prost::encoding::skip_field(wire_type, tag, buf, ctx)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {}
}

/// Calls the RPC about `organization`, half-closes, and reads to the end. `ImportUsers` sends only `start`, so that it
/// fails if it is admitted.
pub async fn call(app: &App, path: &str, organization: &str) -> Result<(), Status> {
    let mut client = Grpc::new(app.connection());
    client.ready().await.expect("the server listens");
    let messages = tokio_stream::iter([RawMessage(request(path, organization))]);
    let codec = ProstCodec::<RawMessage, ()>::default();
    let path = path.parse().expect("a path");
    let answers = client
        .streaming(Request::new(messages), path, codec)
        .await?;
    let mut answers = answers.into_inner();
    while answers.message().await?.is_some() {}
    Ok(())
}

/// Calls the RPC in the same way, and returns the result as text: code, reason, message.
pub async fn answer(app: &App, path: &str, organization: &str) -> String {
    match call(app, path, organization).await {
        Ok(()) => "Ok".to_owned(),
        Err(status) => status_line(&status),
    }
}

/// Returns code, reason and message of a status.
pub fn status_line(status: &Status) -> String {
    let info = status.get_details_error_info();
    if let Some(info) = &info {
        assert_eq!(info.domain, "userimport");
    }
    let reason = info.map(|info| info.reason).unwrap_or_default();
    format!("{:?} {reason}: {}", status.code(), status.message())
}

/// Returns `true` if the caller was admitted, even if the call failed later.
pub fn is_admitted(answer: &Result<(), Status>) -> bool {
    let code = answer.as_ref().map_or_else(Status::code, |()| Code::Ok);
    !matches!(code, Code::Unauthenticated | Code::PermissionDenied)
}
